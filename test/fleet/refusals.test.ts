import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { assignmentId } from "../../src/ids.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { acceptAssignments } from "../../src/redis/scripts/accept-assignments.ts";
import { declareArchs } from "../../src/redis/scripts/declare-archs.ts";
import { heartbeat } from "../../src/redis/scripts/heartbeat.ts";
import { leaveExecutor } from "../../src/redis/scripts/leave-executor.ts";
import { registerExecutor } from "../../src/redis/scripts/register-executor.ts";
import { reportAssignments } from "../../src/redis/scripts/report-assignments.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const keys = createKeys("{test}");
const shards = 1;
const assignment = assignmentId({ runId: "0".repeat(26), task: 0, attempt: 1, session: "s1" });
const description = {
  ...{ id: "late", pool: "default", group: "here", driver: "process", archs: ["amd64"], labels: {}, taskLimit: 1 },
  ...{ allowPrivileged: false, dynamic: false, version: "1" },
};

let server: TestRedis;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, "commands");
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const register = (incarnation: string) =>
  registerExecutor(redis, keys, {
    ...{ description, incarnation, host: "h", pid: 1, processStart: "1", ttlMs: 60_000, fenceMs: 60_000, shards },
    deadIncarnation: "i1",
  });

/** Everything that an executor can ask of Redis, under its first incarnation. */
const asks = {
  heartbeat: () => heartbeat(redis, keys, { executor: "late", incarnation: "i1", ttlMs: 1_000 }),
  accept: () => acceptAssignments(redis, keys, { executor: "late", incarnation: "i1", assignments: [assignment] }),
  report: () => reportAssignments(redis, keys, { executor: "late", incarnation: "i1", mail: new Map([[0, ['["run/x",{}]']]]) }),
  "declare its architectures": () =>
    declareArchs(redis, keys, { description: { ...description, archs: ["arm64"] }, incarnation: "i1", shards }),
  leave: () => leaveExecutor(redis, keys, { executor: "late", pool: "default", incarnation: "i1", shards }),
};

describe("whatever a revoked incarnation asks", () => {
  beforeEach(async () => {
    await redis.flushall();
    await register("i1");
    await redis.hset(keys.executorTodo("late"), assignment, "run:i1");
  });

  it.each(Object.entries(asks))("%s: is granted while it is the current one", async (_, ask) => {
    if (ask === asks.leave) await redis.del(keys.executorTodo("late"));
    expect(["ok", "accepted", "reported", "declared", "left"]).toContain((await ask()).type);
  });

  const fates = {
    superseded: () => register("i2"),
    lost: () => redis.hset(keys.executor("late"), "life", "lost"),
    unknown: () => redis.del(keys.executor("late")),
  } as const;
  const cases = Object.entries(asks).flatMap(([name, ask]) => Object.entries(fates).map(([why, fate]) => ({ name, ask, why, fate })));

  it.each(cases)("$name: is refused as $why, and changes nothing", async ({ ask, why, fate }) => {
    await fate();
    const contents = async () => {
      const names = (await redis.keys("*")).sort();
      return Promise.all(names.map(async (name) => [name, await redis.dump(name)]));
    };
    const before = await contents();
    expect((await ask()).type).toBe(why);
    expect(await contents()).toEqual(before);
  });
});
