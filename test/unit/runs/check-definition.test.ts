import { describe, expect, it } from "vitest";
import { checkDefinition, setupErrorsOf } from "../../../src/runs/check-definition.ts";
import { compileGraph } from "../../../src/runs/graph.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import { raw, setupErrors, task } from "./faults.ts";

const image = "x";

describe("setup errors", () => {
  it("are none for what can work", () => {
    expect(setupErrors(task({ timeout: "1h", labels: { size: "big" }, steps: [{ run: "x" }, { type: "restore_workspace" }] }))).toEqual([]);
  });

  it.each([
    [{ depends: ["lint"] }, "tasks.a.depends.lint: no such task"],
    [{ depends: { b: "on_sucess" } }, 'tasks.a.depends.b: no such condition: "on_sucess", did you mean "on_success"?'],
    [{ runtime: { arch: "sparc" } }, 'tasks.a.runtime.arch: "sparc" is not one of amd64, arm64, arm, 386'],
    [{ timeout: "90" }, /^tasks\.a\.timeout: "90" is not a duration/],
    [{ startTimeout: "1 h" }, /^tasks\.a\.startTimeout: /],
    [{ timeout: "999999d" }, /longer than a hundred years/],
    [{ retry: { backoff: { base: "x" } } }, /^tasks\.a\.retry\.backoff\.base: /],
    [{ labels: { "a=b": "c" } }, 'tasks.a.labels["a=b"]: is not the name of a label'],
    [{ labels: { size: "a,b" } }, 'tasks.a.labels.size: "a,b" is not the value of a label'],
    [{ pool: "a:b" }, 'tasks.a.pool: "a:b" is not the name of a pool'],
    [{ environment: { "A-B": "x" } }, /^tasks\.a\.environment\.A-B: is not a valid variable name/],
    [{ environment: { A: "x\0y" } }, "tasks.a.environment.A: must not contain a NUL character"],
    [{ pod: { serviceAccount: "root" } }, "tasks.a.pod: is not allowed by the administrator"],
    [{ steps: [{ type: "save_cash", x: 1 }] }, 'tasks.a.steps[0].type: no such type of step: "save_cash", did you mean "save_cache"?'],
    [{ steps: [{ run: "x", timeout: "1y" }] }, /^tasks\.a\.steps\[0\]\.timeout: /],
    [{ steps: [{ type: "save_cache", key: "{{ now }}", contents: [{}] }] }, /^tasks\.a\.steps\[0\]\.key: no function "now"/],
    [{ steps: [{ type: "restore_cache", keys: ["a", "{{"] }] }, /^tasks\.a\.steps\[0\]\.keys\[1\]: /],
    [{ steps: [{ type: "restore_cache", keys: [] }] }, "tasks.a.steps[0].keys: names no key"],
    [{ steps: [{ type: "save_to_workspace", contents: [] }] }, "tasks.a.steps[0].contents: names nothing to save"],
    [{ steps: [{ type: "save_artifact", name: "../x", paths: ["**"] }] }, /^tasks\.a\.steps\[0\]\.name: /],
  ])("name what cannot work and where: %j", (more, error) => {
    const tasks = { a: { image, ...more }, b: { image } };
    expect(setupErrors(raw({ tasks }))).toEqual([
      expect.stringMatching(typeof error === "string" ? new RegExp(`^${error.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : error),
    ]);
  });

  it.each([
    [{ image: " " }, "tasks.a.runtime.containers[0].image: is empty"],
    [{ image, resources: { cpu: "2 cores" } }, /^tasks\.a\.runtime\.containers\[0\]\.resources\.cpu: /],
    [{ image, resources: { memory: "1GB" } }, /^tasks\.a\.runtime\.containers\[0\]\.resources\.memory: /],
    [{ image, volumes: [{ path: "tmp", tmpfs: { size: "0" } }] }, /not an absolute path/],
    [{ image, readiness: { command: ["x"] } }, /only services/],
  ])("look into containers: %j", (container, error) => {
    const [first] = setupErrors(raw({ tasks: { a: { runtime: { containers: [container] } } } }));
    expect(first).toMatch(error);
  });

  it("want a container in every task, and a proper name for it", () => {
    expect(setupErrors(raw({ tasks: { a: {} } }))).toEqual(["tasks.a.runtime.containers: a task needs a container: give an image"]);
    expect(setupErrors(raw({ tasks: { "-a": { image }, "": { image } } }))).toEqual([
      expect.stringMatching(/^tasks\.-a: is not a task name/),
      expect.stringMatching(/^tasks\[""\]: is not a task name/),
    ]);
  });

  it("name a cycle, each once", () => {
    const tasks = {
      a: { image, depends: ["c"] },
      b: { image, depends: ["a"] },
      c: { image, depends: ["b"] },
      below: { image, depends: ["a"] },
      self: { image, depends: ["self"] },
    };
    expect(setupErrors(raw({ tasks }))).toEqual([
      "tasks.a.depends: is a cycle: a -> c -> b -> a",
      "tasks.self.depends: is a cycle: self -> self",
    ]);
  });

  it("are told with those that the client knew itself", () => {
    const definition = parseDefinition({ name: "x", group: "/a/b", setupErrors: ["no such file"] });
    expect(setupErrorsOf(definition, [{ path: "tasks", message: "none" }])).toEqual(["no such file", "tasks: none"]);
  });

  it("say nothing of `pod` where the administrator allows it", () => {
    expect(checkDefinition(parseDefinition(task({ pod: { serviceAccount: "x" } })), { allowPod: true })).toEqual([]);
  });

  it("are bounded, however many tasks share a mistake", () => {
    const tasks = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`t${index}`, {}]));
    const errors = setupErrors(raw({ tasks }));
    expect(errors).toHaveLength(1001);
    expect(errors.at(-1)).toBe("and more");
  });
});

describe("outputs that nobody could tell apart", () => {
  const alike = 'tasks.z: outputs of its ancestors "unit-test" and "unit_test" would have the same names';

  it("are an error where a task has both ancestors", () => {
    const tasks = {
      "unit-test": { image },
      unit_test: { image },
      m: { image, depends: ["unit_test"] },
      z: { image, depends: ["unit-test", "m"] },
    };
    expect(setupErrors(raw({ tasks }))).toEqual([alike]);
  });

  it("are an error where one of them is the other's ancestor", () => {
    const tasks = { "unit-test": { image }, unit_test: { image, depends: ["unit-test"] }, z: { image, depends: ["unit_test"] } };
    expect(setupErrors(raw({ tasks }))).toEqual([alike]);
  });

  it("are none where no task sees both", () => {
    const tasks = { "unit-test": { image }, unit_test: { image, depends: ["unit-test"] }, z: { image, depends: ["unit-test"] } };
    expect(setupErrors(raw({ tasks }))).toEqual([]);
  });

  it("are found among 100,000 tasks without comparing each with each", () => {
    const runtime = { containers: [{ image }] };
    const below = (name: string, parent: string | undefined) => [
      name,
      { runtime, ...(parent !== undefined && { depends: { [parent]: ["always"] } }) },
    ];
    const check = (names: readonly string[], back: number) =>
      checkDefinition({
        name: "x",
        group: "/a/b",
        tasks: Object.fromEntries(names.map((name, index) => below(name, names[index - back]))),
      });
    const size = 100_000;
    expect(
      check(
        Array.from({ length: size }, (_, index) => `t${index}`),
        1,
      ),
    ).toEqual([]);
    // Two chains of alike names that never meet: every pair would have to be walked to its end.
    const pairs = Array.from({ length: size }, (_, index) => (index % 2 === 0 ? `a-${index}` : `a_${index - 1}`));
    expect(check(pairs, 2)).toMatchObject([{ path: "tasks", message: expect.stringMatching(/cannot tell apart/) }]);
  }, 60_000);
});

describe("a compiled graph", () => {
  it("orders tasks by level, then name, and knows parents and children by index", () => {
    const tasks = { z: { image }, a: { image, depends: ["m"] }, m: { image, depends: { z: "always" } }, B: { image, depends: ["z"] } };
    const graph = compileGraph(parseDefinition(raw({ tasks })));
    expect(graph.tasks.map(({ name, level, index }) => [name, level, index])).toEqual([
      ["z", 0, 0],
      ["B", 1, 1],
      ["m", 1, 2],
      ["a", 2, 3],
    ]);
    expect(graph.tasks[0]?.children).toEqual([1, 2]);
    expect(graph.tasks[2]).toMatchObject({ parents: [{ index: 0, conditions: ["always"] }], hasAlways: true });
    expect([graph.indexOf("m"), graph.indexOf("nobody")]).toEqual([2, undefined]);
  });

  it("has every default applied", () => {
    expect(compileGraph(parseDefinition(task())).tasks[0]).toMatchObject({
      pool: "default",
      requirement: {},
      timeoutMs: 86_400_000,
      queueTimeoutMs: 86_400_000,
      startTimeoutMs: 300_000,
      stopGraceMs: 10_000,
      approvalTimeoutMs: 604_800_000,
      retryLimit: 0,
      infraRetryLimit: 2,
      backoff: { baseMs: 1000, factor: 2, maxMs: 300_000 },
    });
  });

  it("cannot be made of what depends on itself", () => {
    expect(() => compileGraph(parseDefinition(task({ depends: ["a"] })))).toThrow(/cycle/);
  });
});
