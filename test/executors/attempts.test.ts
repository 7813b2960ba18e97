import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layout } from "../../src/ost/layout.ts";
import { openLog } from "../../src/ost/log-object.ts";
import { createSealer, loadSecretKey } from "../../src/secrets.ts";
import { until } from "../support/until.ts";
import { createWorld, type PlayedRun, readLogText, type World } from "./harness.ts";

type Raw = Readonly<Record<string, unknown>>;

describe("an attempt", () => {
  let world: World;
  let seal: (text: string) => string;
  beforeAll(async () => {
    world = await createWorld({ OSTLER_HEARTBEAT_TTL: "10s" });
    await world.start();
    seal = createSealer(await loadSecretKey(world.config)).seal;
  });
  afterAll(() => world.close());

  const runTask = async (task: Raw, run: Raw = {}) => {
    const created = await world.createRun({ ...run, tasks: { build: { image: "node:24", ...task } } });
    const assignment = created.assignment("build");
    await world.assign(assignment);
    return { ...created, id: assignment, outcome: await world.outcome(assignment) };
  };
  const log = (run: PlayedRun, step = "0") => readLogText(world.store, { runId: run.runId, task: "build", attempt: 1, step });

  it("runs its steps in order, in its own folder, and leaves nothing behind", async () => {
    const run = await runTask({ steps: [{ run: "echo one > file" }, { run: "cat file; pwd" }] });
    expect(run.outcome).toMatchObject({
      phase: "success",
      ranStep: true,
      steps: [
        { phase: "success", exitCode: 0 },
        { phase: "success", logComplete: true },
      ],
    });
    expect(await log(run, "1")).toBe(`one\n${join(world.podsDir, run.id, "home")}\n`);
    expect(await readdir(world.podsDir)).not.toContain(run.id);
  });

  it("ends with the first step that fails; later ones never start", async () => {
    const { outcome } = await runTask({ steps: [{ run: "exit 7" }, { run: "true" }] });
    expect(outcome).toMatchObject({
      phase: "failed",
      reason: "exit_code",
      exitCode: 7,
      steps: [{ phase: "failed", exitCode: 7 }, { phase: "notstarted" }],
    });
  });

  it("succeeds without steps", async () => {
    expect((await runTask({ steps: [] })).outcome).toMatchObject({ phase: "success", ranStep: false });
  });

  it("lets the step's environment win over the system's, that over the run's, static, the task's and the container's", async () => {
    const names = ["A", "B", "C", "D", "E", "F"];
    const level = (from: number, value: string) => Object.fromEntries(names.slice(from).map((name) => [name, value]));
    const run = await runTask(
      {
        image: undefined,
        runtime: { containers: [{ image: "x", environment: level(0, "container") }] },
        environment: level(1, "task"),
        steps: [
          {
            type: "run",
            command: 'echo "$A $B $C $D $E $CI"; echo "$OSTLER_TASK $OSTLER_ATTEMPT $OSTLER_STEP $OSTLER_RUN_NUMBER $OSTLER_RUN_GROUP"',
            environment: level(4, "step"),
          },
        ],
      },
      { staticEnvironment: level(2, "static"), environment: { ...level(3, "run"), CI: "no", OSTLER_TASK: "no" } },
    );
    expect(await log(run)).toBe("container task static run step true\nbuild 1 0 7 /project/web\n");
  });

  it("runs a step in its working directory, with its shell, below the home", async () => {
    const run = await runTask({
      workingDir: "~/project",
      steps: [{ type: "run", command: "pwd; set -o | grep -c errexit.*on", workingDir: "web", shell: "bash -e" }],
    });
    expect(await log(run)).toBe(`${join(world.podsDir, run.id, "home/project/web")}\n1\n`);
  });

  it("hands its outputs to the run", async () => {
    const { outcome } = await runTask({ steps: [{ run: 'echo VERSION=1.2 >> "$OSTLER_OUTPUT"; echo "URL=a=b" >> "$OSTLER_OUTPUT"' }] });
    expect(outcome.outputs).toEqual({ VERSION: "1.2", URL: "a=b" });
  });

  it("fails on outputs that are too large or not KEY=value", async () => {
    const large = await runTask({ steps: [{ run: 'head -c 70000 /dev/zero | tr "\\0" x > "$OSTLER_OUTPUT"' }] });
    expect(large.outcome).toMatchObject({ phase: "failed", reason: "config", message: expect.stringContaining("64 KiB") });
    const odd = await runTask({ steps: [{ run: 'echo nonsense > "$OSTLER_OUTPUT"' }] });
    expect(odd.outcome).toMatchObject({ phase: "failed", reason: "config", message: expect.stringContaining("line 1") });
  });

  it("masks secrets in logs, outputs and messages, wherever they come from", async () => {
    const secret = "planted-secret-value";
    const run = await runTask(
      {
        environment: { MINE: { secret: seal(secret) } },
        steps: [{ run: 'echo "$MINE"; printf %s "x$MINE" | base64; echo "KEY=$MINE" > "$OSTLER_OUTPUT"' }],
      },
      { environment: { RUNS: { secret: seal("another one") } } },
    );
    const text = await log(run);
    expect(text.split("\n")[0]).toBe("***");
    expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(4, 16));
    expect(text).toContain("***");
    expect(run.outcome.outputs).toEqual({ KEY: "***" });
    expect(JSON.stringify(await world.mail())).not.toContain(secret);
  });

  it("ends as internal trouble of the platform where secrets cannot be opened, and does not repeat them", async () => {
    const { outcome } = await runTask({ environment: { MINE: { secret: "v1:nonsense" } }, steps: [{ run: "true" }] });
    expect(outcome).toMatchObject({ phase: "failed", reason: "setup", ranStep: false });
    expect(outcome.message).not.toContain("nonsense");
  });

  it("fails a step that takes longer than its time", async () => {
    const run = await runTask({ steps: [{ type: "run", command: "echo begin; sleep 1000", timeout: "300ms" }] });
    expect(run.outcome).toMatchObject({ phase: "failed", reason: "timeout", steps: [{ phase: "failed" }] });
    expect(await log(run)).toContain("begin\n");
  });

  it("fails an attempt that takes longer than its time", async () => {
    const { outcome } = await runTask({ timeout: "300ms", steps: [{ run: "sleep 1000" }] });
    expect(outcome).toMatchObject({ phase: "failed", reason: "timeout", message: expect.stringContaining("300ms") });
  });

  it("stops with grace when it is told to, and reports once the pod is gone", async () => {
    const run = await world.createRun({
      tasks: {
        build: { image: "x", steps: [{ run: "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done" }, { run: "true" }] },
      },
    });
    const id = run.assignment("build");
    await world.assign(id);
    // Its shell has read the trap by then.
    await until("the step prints", async () =>
      (await readFile(join(world.podsDir, id, "steps", "0", "output"), "utf8").catch(() => "")).includes("up\n"),
    );
    await world.tell(id, "stop");
    expect(await world.outcome(id)).toMatchObject({ phase: "stopped", steps: [{ phase: "stopped" }, { phase: "notstarted" }] });
    expect(await log(run)).toContain("bye\n");
    expect(await readdir(world.podsDir)).not.toContain(id);
  });

  it("tells the run of its begin and its steps while it runs", async () => {
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [{ run: "sleep 1000" }] } } });
    const id = run.assignment("build");
    await world.assign(id);
    const told = async (type: string) =>
      (await world.mail()).find(({ message }) => message.type === type && message.assignment === id)?.message;
    await until("the begin is told", async () => (await told("attempt-started")) !== undefined);
    await until("the progress is told", async () => (await told("attempt-progress")) !== undefined);
    expect(await told("attempt-progress")).toMatchObject({ setup: { phase: "success" }, steps: [{ phase: "running" }] });
    await world.tell(id, "stop");
    await world.outcome(id);
  });

  it("tells of a quick attempt with one report only", async () => {
    const { id } = await runTask({ steps: [] });
    const told = (await world.mail()).filter(({ message }) => message.assignment === id);
    expect(told.map(({ message }) => message.type)).toEqual(["attempt-ended"]);
  });

  it("stores no log object for a step that prints nothing", async () => {
    const run = await runTask({ steps: [{ run: "true" }] });
    expect(await openLog(world.store, layout.log({ runId: run.runId, task: "build", attempt: 1, step: "0" }))).toBeUndefined();
  });

  it("keeps a log of many megabytes whole", async () => {
    const run = await runTask({ steps: [{ run: "seq 1 1000000" }] });
    const text = await log(run);
    expect(text.length).toBe(6_888_896);
    expect(text.endsWith("999999\n1000000\n")).toBe(true);
    expect(run.outcome.steps?.[0]).toMatchObject({ logSize: 6_888_896, logComplete: true });
  });

  it("reports what never ran here as lost when it is told to stop it", async () => {
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [] } } });
    const id = run.assignment("build");
    await world.tell(id, "stop");
    expect(await world.outcome(id)).toMatchObject({ phase: "stopped", ranStep: false });
  });

  it("repeats a report until its run has handled it, and then no more", async () => {
    const { id } = await runTask({ steps: [] });
    const ends = async () => (await world.mail()).filter(({ message }) => message.assignment === id).length;
    await until("the report is repeated", async () => (await ends()) >= 2);
    await world.settle(id);
    const other = await runTask({ steps: [] });
    await until(
      "another report is repeated",
      async () => (await world.mail()).filter(({ message }) => message.assignment === other.id).length >= 4,
    );
    const before = await ends();
    await until("and again", async () => (await world.mail()).filter(({ message }) => message.assignment === other.id).length >= 6);
    expect(await ends()).toBe(before);
  });

  it("is not disturbed by rubbish among its assignments", async () => {
    await world.tell("rubbish", "stop");
    expect((await runTask({ steps: [] })).outcome.phase).toBe("success");
    await world.settle("rubbish");
  });
});
