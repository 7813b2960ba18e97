import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProcess } from "../../src/executors/processes.ts";
import { until } from "../support/until.ts";
import { createWorld, readLogText, type World } from "./harness.ts";

describe("an executor that dies", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ OSTLER_HEARTBEAT_TTL: "5s" });
  });
  afterEach(() => world.close());

  const home = (id: string, ...path: string[]) => join(world.podsDir, id, "home", ...path);
  const assign = async (steps: readonly unknown[], task: Readonly<Record<string, unknown>> = {}) => {
    const run = await world.createRun({ tasks: { build: { image: "x", steps, ...task } } });
    const id = run.assignment("build");
    await world.assign(id);
    return { ...run, id, log: (step: string) => readLogText(world.store, { runId: run.runId, task: "build", attempt: 1, step }) };
  };
  const appears = (path: string) => until(`${path} is there`, async () => (await readFile(path).catch(() => undefined)) !== undefined);
  const isGone = async (id: string) => !(await readdir(world.podsDir)).includes(id);

  it("loses neither step, log nor exit code: the next process with its id goes on", async () => {
    const first = await world.spawn();
    const run = await assign([{ run: "echo early; touch up; while [ ! -e go ]; do sleep 0.05; done; echo late; exit 6" }]);
    await appears(home(run.id, "up"));
    await first.kill("SIGKILL");
    await writeFile(home(run.id, "go"), "");
    await until("the step ends without an executor", async () =>
      (await readdir(join(world.podsDir, run.id, "steps", "0"))).includes("exit.6"),
    );
    await world.start();
    expect(await world.outcome(run.id)).toMatchObject({ phase: "failed", reason: "exit_code", exitCode: 6 });
    expect(await run.log("0")).toBe("early\nlate\n");
  });

  it("is followed by one that does not repeat what was done", async () => {
    const first = await world.spawn();
    const run = await assign([
      { run: "echo saved > file" },
      { type: "save_cache", key: "k", contents: [{ paths: ["file"] }] },
      { type: "restore_cache", keys: ["k"] },
      { run: "echo changed > file; touch up; while [ ! -e go ]; do sleep 0.05; done; cat file" },
    ]);
    const begins = async () => (await world.mail()).filter(({ message }) => message.type === "attempt-started").length;
    await appears(home(run.id, "up"));
    await until("the begin is told", async () => (await begins()) === 1);
    await first.kill("SIGKILL");
    await world.start();
    await until("the successor tells it again", async () => (await begins()) === 2);
    await writeFile(home(run.id, "go"), "");
    expect(await world.outcome(run.id)).toMatchObject({ phase: "success", steps: Array(4).fill({ phase: "success" }) });
    expect(await run.log("3")).toBe("changed\n");
  });

  it("is followed by one that stops what was to be stopped meanwhile, with its log", async () => {
    const first = await world.spawn();
    const run = await assign([{ run: "trap 'echo bye; exit 0' TERM; touch up; while :; do sleep 0.05; done" }]);
    await appears(home(run.id, "up"));
    await first.kill("SIGKILL");
    await world.tell(run.id, "stop");
    await world.start();
    expect(await world.outcome(run.id)).toMatchObject({ phase: "stopped", ranStep: true });
    expect(await run.log("0")).toContain("bye\n");
    expect(await isGone(run.id)).toBe(true);
  });

  it("is followed by one that reports a pod that is gone as lost", async () => {
    const first = await world.spawn();
    const run = await assign([{ run: "echo shipped; touch up; sleep 1000" }]);
    await appears(home(run.id, "up"));
    await until(
      "its log is spooled",
      async () => (await readFile(join(world.folder, "executors/e1/logs", `${run.id}.0.times`)).catch(() => "")).length > 0,
    );
    await first.kill("SIGKILL");
    await rm(join(world.podsDir, run.id), { recursive: true });
    await world.start();
    expect(await world.outcome(run.id)).toMatchObject({ phase: "failed", reason: "pod_lost" });
    await world.settle(run.id);
    await until("what was spooled of its log is stored", async () => (await run.log("0")) === "shipped\n<lost: executor_lost>");
  });

  it("is followed by one that repeats a report that was not handled", async () => {
    const first = await world.spawn();
    const run = await assign([{ run: "true" }]);
    await world.outcome(run.id);
    await first.kill("SIGKILL");
    const before = (await world.mail()).filter(({ message }) => message.type === "attempt-ended").length;
    await world.start();
    await until(
      "the report is repeated",
      async () => (await world.mail()).filter(({ message }) => message.type === "attempt-ended").length > before,
    );
    expect((await world.outcome(run.id)).phase).toBe("success");
  });

  it("leaves nothing that a sibling does not remove, daemons included, once it is declared lost", async () => {
    const first = await world.spawn();
    const run = await assign([{ run: "setsid sh -c 'echo $$ > escaped; exec sleep 1000' & echo $$ > up; while :; do sleep 0.1; done" }]);
    await appears(home(run.id, "escaped"));
    await appears(home(run.id, "up"));
    const pids = await Promise.all(["escaped", "up"].map(async (name) => Number(await readFile(home(run.id, name), "utf8"))));
    await first.kill("SIGKILL");
    await world.start({ env: { OSTLER_EXECUTOR_ID: "e2", OSTLER_HEARTBEAT_TTL: "1s" } });
    await world.redis.hset(world.keys.executor("e1"), "life", "suspect");
    const incarnation = await world.redis.hget(world.keys.executor("e1"), "incarnation");
    await until("the sibling has looked", async () => (await world.redis.get(world.keys.executorAlive("e2"))) !== null);
    expect(pids.map((pid) => findProcess(pid)?.pid)).toEqual(pids);
    await world.redis.hset(world.keys.executor("e1"), "life", "lost");
    const proof = async () => (await world.mail()).find(({ message }) => message.type === "pods-gone");
    await until("the sibling proves that they are gone", async () => (await proof()) !== undefined);
    expect((await proof())?.message).toMatchObject({ executor: "e1", incarnation, by: "e2" });
    expect(pids.map((pid) => findProcess(pid))).toEqual([undefined, undefined]);
    expect(await isGone(run.id)).toBe(true);
  });

  it("takes old work for done after Redis has rolled back to a time when it was still to do", async () => {
    await world.start();
    const counter = join(world.folder, "counter");
    const go = join(world.folder, "go");
    const run = await assign([{ run: `echo ran >> ${counter}; while [ ! -e ${go} ]; do sleep 0.05; done` }]);
    const aof = join(world.server.folder, "appendonlydir");
    await until("the assignment is held", async () => (await world.redis.hexists(world.keys.executorHeld("e1"), run.id)) === 1);
    await cp(aof, `${aof}.before`, { recursive: true });
    await writeFile(go, "");
    await world.outcome(run.id);
    await world.settle(run.id);
    // Another assignment makes the executor look: it takes note that the first one is settled.
    await world.outcome((await assign([])).id);
    world.server.kill("SIGKILL");
    await rm(aof, { recursive: true });
    await cp(`${aof}.before`, aof, { recursive: true });
    await world.server.restart();
    expect(await world.redis.hexists(world.keys.executorTodo("e1"), run.id)).toBe(1);
    expect(await world.outcome(run.id)).toMatchObject({ phase: "success" });
    expect(await readFile(counter, "utf8")).toBe("ran\n");
  });
});

describe("an executor that is not the current one any more", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.close());

  it("ends at once and touches nothing when another process has taken over", async () => {
    const first = await world.spawn();
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [{ run: "touch up; sleep 1000" }] } } });
    const id = run.assignment("build");
    await world.assign(id);
    await until("the step runs", async () => (await readdir(join(world.podsDir, id, "home")).catch((): string[] => [])).includes("up"));
    await world.redis.hset(world.keys.executor("e1"), "incarnation", "another");
    expect(await first.ended).toBe("Superseded");
    expect(await readdir(world.podsDir)).toContain(id);
    expect((await readdir(join(world.podsDir, id, "steps", "0"))).some((name) => name.startsWith("exit."))).toBe(false);
  });

  it("removes its pods and registers anew when it was declared lost", async () => {
    await world.start();
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [{ run: "echo $$ > up; sleep 1000" }] } } });
    const id = run.assignment("build");
    await world.assign(id);
    await until("the step runs", async () => (await readdir(join(world.podsDir, id, "home")).catch((): string[] => [])).includes("up"));
    const before = await world.redis.hget(world.keys.executor("e1"), "incarnation");
    await world.redis.multi().hset(world.keys.executor("e1"), "life", "lost").hset(world.keys.executorTodo("e1"), id, "stop").exec();
    await until("it registers anew", async () => (await world.redis.hget(world.keys.executor("e1"), "incarnation")) !== before);
    expect(await readdir(world.podsDir)).not.toContain(id);
    expect(await world.outcome(id)).toMatchObject({ phase: "stopped" });
    const proof = async () => (await world.mail()).find(({ message }) => message.type === "pods-gone");
    await until("it proves that its old pods are gone", async () => (await proof()) !== undefined);
  });

  it("waits for the heartbeat of a living process with its id, which goes on undisturbed", async () => {
    const first = await world.spawn();
    const before = await world.redis.hget(world.keys.executor("e1"), "incarnation");
    const second = world.start();
    await until("the first has renewed", async () => (await world.redis.pttl(world.keys.executorAlive("e1"))) > 950);
    expect(await world.redis.hget(world.keys.executor("e1"), "incarnation")).toBe(before);
    await first.kill("SIGKILL");
    await second;
    expect(await world.redis.hget(world.keys.executor("e1"), "incarnation")).not.toBe(before);
  });

  it("does not wait where it can prove that its predecessor's process is dead", async () => {
    const ttl = { OSTLER_HEARTBEAT_TTL: "20s", OSTLER_EXECUTOR_FENCE: "20s" };
    const first = await world.spawn(ttl);
    await first.kill("SIGKILL");
    const begun = performance.now();
    await world.start({ env: ttl });
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it("refuses to take the id of an executor in another pool", async () => {
    await world.start();
    await expect(world.start({ env: { OSTLER_EXECUTOR_POOL: "other" } })).rejects.toThrow("registered in pool default");
  });
});
