import { describe, expect, it } from "vitest";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import { malformed, raw, task } from "./faults.ts";

describe("short forms", () => {
  it("become the long ones", () => {
    const { tasks } = parseDefinition(
      raw({ tasks: { lint: { image: "x" }, a: { image: "node:24", depends: ["lint"], steps: [{ run: "npm ci", name: "install" }] } } }),
    );
    expect(tasks.a).toEqual({
      runtime: { containers: [{ image: "node:24" }] },
      depends: { lint: ["on_success"] },
      steps: [{ type: "run", command: "npm ci", name: "install" }],
    });
  });

  it.each([
    ["lint", { lint: ["on_success"] }],
    [["lint", "test"], { lint: ["on_success"], test: ["on_success"] }],
    [{ lint: "on_failure" }, { lint: ["on_failure"] }],
    [
      { lint: [], test: null },
      { lint: ["on_success"], test: ["on_success"] },
    ],
    [{ lint: ["always", "nonsense"] }, { lint: ["always", "nonsense"] }],
  ])("of depends: %j", (depends, expected) => {
    expect(parseDefinition(task({ depends })).tasks.a?.depends).toEqual(expected);
  });

  it("accept numbers where they are as clear as their texts", () => {
    const container = {
      image: "x",
      user: 1000,
      resources: { cpu: 0.5, memory: 1048576 },
      volumes: [{ path: "/t", tmpfs: { size: 4096 } }],
    };
    const { tasks } = parseDefinition(
      raw({ tasks: { a: { user: 7, runtime: { containers: [container] }, steps: [{ run: "id", user: 8 }] } } }),
    );
    expect(tasks.a).toMatchObject({
      user: "7",
      runtime: { containers: [{ user: "1000", resources: { cpu: "0.5", memory: "1048576" }, volumes: [{ tmpfs: { size: "4096" } }] }] },
      steps: [{ user: "8" }],
    });
  });

  it("combine with the rest of the runtime, but not with a second list of containers", () => {
    expect(parseDefinition(task({ runtime: { arch: "arm64" } })).tasks.a?.runtime).toEqual({ arch: "arm64", containers: [{ image: "x" }] });
    expect(malformed(task({ runtime: { containers: [] } }))).toEqual([
      "tasks.a.image: is short for runtime.containers, which is there too: give one of them",
    ]);
  });

  it("are no longer there in what was parsed once: parsing it again changes nothing", () => {
    const parsed = parseDefinition(task({ depends: "b", steps: [{ run: "x" }, { type: "nonsense", a: 1 }] }));
    expect(parseDefinition(parsed)).toEqual(parsed);
  });

  it("leave what is absent absent", () => {
    expect(parseDefinition(task())).toEqual({
      name: "build",
      group: "/project/web",
      tasks: { a: { runtime: { containers: [{ image: "x" }] } } },
    });
  });
});

describe("unknown fields", () => {
  it.each([
    ["needs", "depends"],
    ["depends_on", "depends"],
    ["env", "environment"],
    ["variables", "environment"],
    ["script", "steps"],
    ["commands", "steps"],
    ["allow_failure", "ignoreFailure"],
    ["continue-on-error", "ignoreFailure"],
    ["ignoreFailures", "ignoreFailure"],
    ["Timeout", "timeout"],
  ])("%s is refused with %s as the one that is meant", (field, meant) => {
    expect(malformed(task({ [field]: "x" }))).toEqual([`tasks.a: unknown field "${field}", did you mean "${meant}"?`]);
  });

  it("far from every known one are refused without a guess", () => {
    expect(malformed(raw({ quux: 1 }))).toEqual(['unknown field "quux"']);
  });

  it("are named wherever they are, with their places", () => {
    const steps = [
      { run: "x", enviroment: {} },
      { type: "save_cache", key: "k", path: [], contents: [] },
    ];
    expect(malformed(raw({ jobs: {}, tasks: { "unit tests": { image: "x", steps } } }))).toEqual([
      'tasks["unit tests"].steps[0]: unknown field "enviroment", did you mean "environment"?',
      'tasks["unit tests"].steps[1]: unknown field "path"',
      'unknown field "jobs", did you mean "tasks"?',
    ]);
  });
});

describe("what is malformed", () => {
  it.each([
    [null, "expected a map, got nothing"],
    [[], "expected a map, got a list"],
    ["x", "expected a map, got a string"],
    [raw({ name: undefined }), "name: is required"],
    [raw({ tasks: undefined }), "tasks: is required"],
    [raw({ tasks: [] }), "tasks: expected a map, got a list"],
    [raw({ priority: 0.5 }), "priority: expected a whole number, got a number"],
    [raw({ concurrency: { key: "k", policy: "kill" } }), 'concurrency.policy: expected "queue" or "cancel-queued" or "cancel-running"'],
    [task({ image: 5 }), "tasks.a.image: expected a string"],
    [task({ steps: "make" }), "tasks.a.steps: expected a list, got a string"],
    [task({ steps: [{ run: 5 }] }), "tasks.a.steps[0].run: expected a string"],
    [task({ steps: [{ name: "x" }] }), "tasks.a.steps[0]: a step needs a type (or `run`, short for a command)"],
    [task({ steps: [{ run: "a", command: "b" }] }), "tasks.a.steps[0].command: is what `run` is short for: give one of them"],
    [task({ environment: { PORT: 80 } }), "tasks.a.environment.PORT: expected a string (quote numbers and booleans), or { secret: … }"],
    [task({ timeout: 30 }), "tasks.a.timeout: expected a string, got a number"],
    [task({ retry: { limit: -1 } }), "tasks.a.retry.limit: must be at least 0"],
    [task({ labels: { size: true } }), "tasks.a.labels.size: expected a string (quote numbers and booleans)"],
    [task({ steps: Array.from({ length: 101 }, () => ({ run: "x" })) }), "tasks.a.steps: at most 100 steps"],
  ])("%j is refused", (definition, fault) => {
    expect(malformed(definition)).toContain(fault);
  });

  it.each([
    "project/web",
    "/project",
    "/project/",
    "//web/x",
    "/project/web/",
    "/project/we b",
    "/project/%zz",
    "/project/..",
    `/project/${"x".repeat(1024)}`,
  ])("the group %s is refused", (group) => {
    expect(malformed(raw({ group }))).toHaveLength(1);
  });

  it.each(["/project/web", "/a/b/c/d", "/project/a%2Fb", "/project/w@b:1"])("the group %s is accepted", (group) => {
    expect(parseDefinition(raw({ group })).group).toBe(group);
  });

  it("is told with all its places, the first in the message", () => {
    const bad = task({ timeout: 1, pool: 2 });
    expect(() => parseDefinition(bad)).toThrow(/^tasks\.a\.pool: expected a string, got a number \(and 1 more\)$/);
  });

  it("never repeats a secret", () => {
    const faults = malformed(raw({ environment: { TOKEN: { secret: 12345, hidden: "67890" } } }));
    expect(faults).toHaveLength(1);
    expect(faults.join()).not.toMatch(/12345|67890/);
  });
});

describe("names that reach a prototype", () => {
  it.each(["__proto__", "constructor", "prototype"])("%s is refused wherever it is, though a schema would drop it in silence", (name) => {
    const own = (value: unknown) => JSON.parse(`{ ${JSON.stringify(name)}: ${JSON.stringify(value)} }`);
    expect(malformed({ ...raw(), tasks: own({ image: "x" }) })).toEqual([`tasks.${name}: \`${name}\` is not allowed as a name`]);
    expect(malformed(task({ environment: own("x") }))).toEqual([`tasks.a.environment.${name}: \`${name}\` is not allowed as a name`]);
    expect(malformed(task({ steps: [{ run: "x", environment: own("x") }] }))).toHaveLength(1);
  });
});

describe("limits", () => {
  it("refuse what is nested too deeply, without following it to its end", () => {
    let deep: unknown = "x";
    for (let level = 0; level < 100_000; level++) deep = { a: deep };
    expect(malformed(raw({ annotations: deep }))).toEqual(["nested more than 32 levels deep"]);
  });

  it("refuse what refers to itself", () => {
    const loop: Record<string, unknown> = {};
    loop.a = loop;
    expect(malformed(loop)).toEqual(["nested more than 32 levels deep"]);
  });

  it("refuse more than 100,000 tasks and more than 1,000 parents", () => {
    const tasks = Object.fromEntries(Array.from({ length: 100_001 }, (_, index) => [`t${index}`, 0]));
    expect(malformed(raw({ tasks }))).toEqual(["tasks: 100001 tasks, at most 100000"]);
    const depends = Array.from({ length: 1001 }, (_, index) => `t${index}`);
    expect(malformed(task({ depends }))).toEqual(["tasks.a.depends: 1001 parents, at most 1000"]);
  });

  it("refuse annotations that would fill every list", () => {
    const annotated = (length: number) => raw({ annotations: { note: "x".repeat(length) }, tasks: {} });
    expect(parseDefinition(annotated(65_532)).annotations).toHaveProperty("note");
    expect(malformed(annotated(65_533))).toEqual(["annotations: names and values must have at most 65,536 characters together"]);
  });

  it("bound the answer too", () => {
    const tasks = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`t${index}`, { nonsense: 1 }]));
    expect(malformed(raw({ tasks }))).toHaveLength(50);
  });
});

it("may lack tasks where the client already knows that it cannot work", () => {
  expect(parseDefinition({ name: "x", group: "/a/b", setupErrors: ["no such file"] }).tasks).toEqual({});
  expect(malformed({ name: "x", group: "/a/b", setupErrors: [] })).toEqual(["tasks: is required"]);
});
