import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startHeartbeats } from "../../src/executors/heartbeat-loop.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "./harness.ts";

describe("an executor whose Redis is in trouble", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ OSTLER_EXECUTOR_FENCE: "2s" });
  });
  afterEach(() => world.close());

  const begin = async (command: string) => {
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [{ run: `touch up; ${command}` }] } } });
    const id = run.assignment("build");
    await world.assign(id);
    await until("the step runs", async () => (await readdir(join(world.podsDir, id, "home")).catch((): string[] => [])).includes("up"));
    return { id, steps: join(world.podsDir, id, "steps", "0"), home: join(world.podsDir, id, "home") };
  };
  const ends = async (steps: string) => (await readdir(steps).catch(() => ["exit."])).some((name) => name.startsWith("exit."));
  const waitForGo = "while [ ! -e go ]; do sleep 0.05; done";

  it("goes on with what runs while Redis restarts, and reports then", async () => {
    await world.start();
    const { id, home } = await begin(waitForGo);
    world.server.kill("SIGKILL");
    await writeFile(join(home, "go"), "");
    await world.server.restart();
    expect(await world.outcome(id)).toMatchObject({ phase: "success" });
    await until("the heartbeat is back", async () => (await world.redis.exists(world.keys.executorAlive("e1"))) === 1);
  });

  it("stops what runs when nothing was answered for its fence time, and says so when Redis is back", async () => {
    await world.start();
    const { id, steps } = await begin("while :; do sleep 0.1; done");
    world.server.kill("SIGSTOP");
    try {
      await until("the step is stopped", () => ends(steps));
    } finally {
      world.server.kill("SIGCONT");
    }
    expect(await world.outcome(id)).toMatchObject({ phase: "failed", reason: "executor_lost" });
  });

  it("runs tasks and reports their ends while Redis's memory is full", async () => {
    await world.start();
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [{ run: "seq 1 100" }] } } });
    const id = run.assignment("build");
    const incarnation = await world.redis.hget(world.keys.executor("e1"), "incarnation");
    await world.redis.hset(world.keys.executorTodo("e1"), id, `run:${incarnation}`);
    await world.redis.config("SET", "maxmemory", "1");
    const alive = async () => world.redis.pttl(world.keys.executorAlive("e1"));
    expect(await world.outcome(id)).toMatchObject({ phase: "success", steps: [{ logComplete: true }] });
    await until("a heartbeat is renewed", async () => (await alive()) > 900);
  });

  it("survives a Redis that is read-only for a while", async () => {
    await world.start();
    const { id, home } = await begin(waitForGo);
    await world.redis.config("SET", "min-replicas-to-write", "1");
    await writeFile(join(home, "go"), "");
    await until("the step has ended", () => ends(join(world.podsDir, id, "steps", "0")));
    await world.redis.config("SET", "min-replicas-to-write", "0");
    expect(await world.outcome(id)).toMatchObject({ phase: "success" });
  });
});

describe("heartbeats", () => {
  let world: World;
  let now = 0;
  beforeEach(async () => {
    world = await createWorld();
    now = 1_000;
    await world.redis.hset(world.keys.executor("e9"), { incarnation: "inc", life: "active", leave: "" });
  });
  afterEach(() => world.close());

  const start = (changes: Partial<Parameters<typeof startHeartbeats>[0]> = {}) => {
    const seen = { renewed: 0, refused: "", fenced: 0, leave: false };
    const heartbeats = startHeartbeats({
      redis: world.redis,
      keys: world.keys,
      executor: "e9",
      incarnation: "inc",
      intervalMs: 10,
      ttlMs: 1_000,
      fenceMs: 5_000,
      log: pino({ level: "silent" }),
      monotonicNow: () => now,
      onRenewed: ({ leaveWhenEmpty }) => {
        seen.renewed += 1;
        seen.leave = leaveWhenEmpty;
      },
      onRefused: (why) => {
        seen.refused = why;
      },
      onFenced: () => {
        seen.fenced += 1;
      },
      ...changes,
    });
    return { heartbeats, seen };
  };

  it("allow new pods only within a ttl of an answered renewal", async () => {
    const { heartbeats, seen } = start();
    await until("one is answered", () => seen.renewed > 0);
    world.server.kill("SIGSTOP");
    now += 999;
    expect(heartbeats.mayStart()).toBe(true);
    now += 1;
    expect(heartbeats.mayStart()).toBe(false);
    world.server.kill("SIGCONT");
    await until("one is answered again", () => heartbeats.mayStart());
    heartbeats.close();
  });

  it("fence once when none is answered for the fence time", async () => {
    const { heartbeats, seen } = start();
    world.server.kill("SIGSTOP");
    now += 4_999;
    await until("some time passes", () => seen.renewed >= 0);
    expect(seen.fenced).toBe(0);
    now += 1_001;
    await until("it fences", () => seen.fenced === 1);
    world.server.kill("SIGCONT");
    await until("one is answered again", () => heartbeats.mayStart());
    expect(seen.fenced).toBe(1);
    heartbeats.close();
  });

  it("make an expired key again as long as the executor is not lost", async () => {
    const { heartbeats } = start();
    await world.redis.del(world.keys.executorAlive("e9"));
    await until("the key is there", async () => (await world.redis.get(world.keys.executorAlive("e9"))) === "inc");
    heartbeats.close();
  });

  it.each([
    ["superseded", { incarnation: "another" }],
    ["lost", { life: "lost" }],
  ])("end when the executor is %s, and leave no key", async (why, record) => {
    await world.redis.hset(world.keys.executor("e9"), record);
    const { heartbeats, seen } = start();
    await until("it is refused", () => seen.refused === why);
    expect(heartbeats.mayStart()).toBe(false);
    expect(await world.redis.exists(world.keys.executorAlive("e9"))).toBe(0);
  });

  it("end when the executor was deleted", async () => {
    await world.redis.del(world.keys.executor("e9"));
    const { seen } = start();
    await until("it is refused", () => seen.refused === "unknown");
  });

  it("tell an executor that is to leave when empty", async () => {
    await world.redis.hset(world.keys.executor("e9"), "leave", "1");
    const { heartbeats, seen } = start();
    await until("it hears of it", () => seen.leave);
    heartbeats.close();
  });
});

describe("an executor that is to go", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.close());

  const lefts = async () => (await world.mail()).filter(({ message }) => message.type === "left");

  it("says good-bye when it closes with nothing to do", async () => {
    const role = await world.start();
    await role.close();
    expect(await lefts()).toHaveLength(1);
    expect(await world.redis.exists(world.keys.executorAlive("e1"))).toBe(0);
  });

  it("finishes short work before it closes", async () => {
    const role = await world.start();
    const run = await world.createRun({ tasks: { build: { image: "x", steps: [{ run: "touch up; sleep 0.3" }] } } });
    const id = run.assignment("build");
    await world.assign(id);
    await until("the step runs", async () => (await readdir(join(world.podsDir, id, "home")).catch((): string[] => [])).includes("up"));
    await role.close();
    expect(await world.outcome(id)).toMatchObject({ phase: "success" });
  });

  it("leaves once it is empty, if an operator wants that, and a dynamic one ends", async () => {
    const role = await world.start({ env: { OSTLER_EXECUTOR_DYNAMIC: "true" } });
    const run = await world.createRun({
      tasks: { build: { image: "x", steps: [{ run: "touch up; while [ ! -e go ]; do sleep 0.05; done" }] } },
    });
    const id = run.assignment("build");
    await world.assign(id);
    const home = join(world.podsDir, id, "home");
    await until("the step runs", async () => (await readdir(home).catch((): string[] => [])).includes("up"));
    await world.redis.hset(world.keys.executor("e1"), { life: "cordoned", leave: "1" });
    await writeFile(join(home, "go"), "");
    expect((await world.outcome(id)).phase).toBe("success");
    expect(await lefts()).toHaveLength(0);
    await world.settle(id);
    await role.ended;
    expect(await lefts()).toHaveLength(1);
  });
});
