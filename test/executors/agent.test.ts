import { Queue } from "bullmq";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver } from "../../src/executors/driver.ts";
import { createMemoryDriver } from "../../src/executors/memory/memory-driver.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { until } from "../support/until.ts";
import { createWorld, type World } from "./harness.ts";

describe("an executor's agent", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ OSTLER_HEARTBEAT_TTL: "10s" });
  });
  afterEach(() => world.close());

  const createTask = async (steps: readonly unknown[] = []) => {
    const run = await world.createRun({ tasks: { build: { image: "x", steps } } });
    return run.assignment("build");
  };
  const ends = async () => (await world.mail()).filter(({ message }) => message.type === "attempt-ended");

  it("reports an end only once its pod is gone, and goes on with other work meanwhile", async () => {
    const memory = createMemoryDriver();
    let stuck = "";
    const driver: Driver = {
      ...memory,
      remove: async (podId, ...rest) => {
        if (podId === stuck) throw new Error("the platform does not answer");
        return memory.remove(podId, ...rest);
      },
    };
    await world.start({ driver });
    const [first, second] = [await createTask(), await createTask()];
    stuck = first;
    await world.assign(first);
    await world.assign(second);
    expect((await world.outcome(second)).phase).toBe("success");
    await world.tell(second, "stop");
    expect((await ends()).map(({ message }) => message.assignment)).not.toContain(first);
    stuck = "";
    expect((await world.outcome(first)).phase).toBe("success");
  });

  it("takes five hundred tasks on and reports their ends with a few calls", async () => {
    await world.start({ driver: createMemoryDriver() });
    const tasks = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`t${index}`, { image: "x", steps: [] }]));
    const run = await world.createRun({ tasks });
    const ids = Object.keys(tasks).map((task) => run.assignment(task));
    const incarnation = await world.redis.hget(world.keys.executor("e1"), "incarnation");
    const connection = createRedis(world.server.url, "queue");
    const queue = new Queue("executor-e1", { connection, prefix: world.keys.prefix });
    await world.redis.hset(world.keys.executorTodo("e1"), ...ids.flatMap((id) => [id, `run:${incarnation}`]));
    await world.redis.config("RESETSTAT");
    await queue.addBulk(
      Array.from({ length: 10 }, (_, job) => ({ name: "assignments", data: { assignments: ids.slice(job * 50, job * 50 + 50) } })),
    );
    const told = new Set<unknown>();
    await until("all have ended", async () => {
      for (const { message } of await ends()) told.add(message.assignment);
      return told.size === 500;
    });
    const stats = await world.redis.info("commandstats");
    const calls = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    // Accepting and reporting write with these two commands only.
    expect(calls("hset")).toBeLessThan(50);
    expect(calls("xadd")).toBeLessThan(150);
    await queue.close();
    connection.disconnect();
  });

  it("finds what it is to do in todo alone, if no job and no wake-up arrives", async () => {
    await world.start({ driver: createMemoryDriver() });
    const id = await createTask();
    const incarnation = await world.redis.hget(world.keys.executor("e1"), "incarnation");
    await world.redis.hset(world.keys.executorTodo("e1"), id, `run:${incarnation}`);
    expect((await world.outcome(id)).phase).toBe("success");
  });

  it("leaves alone what another incarnation is to do", async () => {
    await world.start({ driver: createMemoryDriver() });
    const [other, own] = [await createTask(), await createTask()];
    await world.tell(other, "run:another");
    await world.assign(own);
    await world.outcome(own);
    expect((await ends()).map(({ message }) => message.assignment)).not.toContain(other);
    expect(await world.redis.hexists(world.keys.executorHeld("e1"), other)).toBe(0);
  });

  it("stops what nobody wants any more", async () => {
    const driver = createMemoryDriver({ script: () => ({ until: new Promise(() => {}) }) });
    await world.start({ driver });
    const id = await createTask([{ run: "for ever" }]);
    await world.assign(id);
    const installation = (await world.redis.hget(world.keys.meta, "installation")) ?? "";
    const pods = async () => (await driver.list(installation, new AbortController().signal)).map((pod) => pod.id);
    await until("its pod runs", async () => (await pods()).includes(id));
    await world.redis.hdel(world.keys.executorTodo("e1"), id);
    await until("its pod is gone", async () => (await pods()).length === 0);
  });

  it("ends an attempt whose run is not there as internal trouble", async () => {
    await world.start({ driver: createMemoryDriver() });
    const id = await createTask();
    await world.redis.del(world.keys.runDefinition(id.slice(0, 26)));
    await world.assign(id);
    expect(await world.outcome(id)).toMatchObject({ phase: "failed", reason: "internal", ranStep: false });
  });
});
