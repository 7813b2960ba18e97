import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { claimShards as claimOnRedis } from "../../src/redis/scripts/claim-shards.ts";
import { type Commit, sendCommit } from "../../src/redis/scripts/commit.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { applyCommit } from "./commit-script.ts";
import { commandsOn, createRedisData } from "./redis-data.ts";
import { claimShards } from "./shard-scripts.ts";

const keys = createKeys("{twin}");
const shard = 0;
const entry = "1-0";

let server: TestRedis;
let redis: RedisConnection;
let twin: ReturnType<typeof commandsOn>;

beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, "commands");
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** The same beginning for both: an owned shard with one commit behind it, mail, an executor with work. */
beforeEach(async () => {
  await redis.flushall();
  await redis.set(keys.own(shard), "token");
  await redis.hset(keys.sequence(shard), "n", 4, "id", "fourth");
  await redis.xadd(keys.inbox(shard), entry, "m", "[]");
  await redis.hset(keys.executor("a"), "incarnation", "i1", "life", "active");
  await redis.sadd(keys.executors, "a");
  await redis.hset(keys.executorTodo("a"), "x", "run:i1", "y", "stop");

  const data = createRedisData();
  twin = commandsOn(
    () => data,
    () => 1,
    () => {},
  );
  twin.set(keys.own(shard), "token");
  twin.hset(keys.sequence(shard), "n", 4, "id", "fourth");
  twin.xadd(keys.inbox(shard), "m", "[]");
  twin.hset(keys.executor("a"), "incarnation", "i1", "life", "active");
  twin.sadd(keys.executors, "a");
  twin.hset(keys.executorTodo("a"), "x", "run:i1", "y", "stop");
});

const hashes = [keys.sequence(shard), keys.executor("a"), keys.executorTodo("a"), keys.state(shard)];

async function pictureOfRedis() {
  return {
    hashes: await Promise.all(hashes.map((key) => redis.hgetall(key))),
    due: await redis.zrange(keys.due(shard), "0", "-1", "WITHSCORES"),
    inbox: await redis.xlen(keys.inbox(shard)),
    events: await redis.xlen(keys.events),
    runEvents: await redis.lrange(keys.runEvents("r"), 0, -1),
    executors: await redis.smembers(keys.executors),
    owner: await redis.get(keys.own(shard)),
  };
}

function pictureOfTwin() {
  return {
    hashes: hashes.map((key) => Object.fromEntries(twin.hash(key))),
    due: [...twin.scores(keys.due(shard))].sort(([, a], [, b]) => a - b).flatMap(([member, score]) => [member, String(score)]),
    inbox: twin.entries(keys.inbox(shard)).length,
    events: twin.entries(keys.events).length,
    runEvents: [...twin.list(keys.runEvents("r"))],
    executors: [...twin.members(keys.executors)],
    owner: twin.get(keys.own(shard)) ?? null,
  };
}

function commit(options: Partial<Commit> & Partial<Commit["shards"][number]> = {}): Commit {
  const { token = "token", number = 5, consumed, ...rest } = options;
  return { id: "fifth", leaseMs: 5_000, shards: [{ shard, token, number, consumed }], absent: [], writes: [], ...rest };
}

const todo = keys.executorTodo("a");

describe("the simulated Redis commits as the script does", () => {
  it.each([
    ["one that changes states and deadlines, and trims the inbox", [commit({ consumed: entry, writes: statesAndDeadlines() })]],
    ["one that is repeated", [commit(), commit()]],
    ["one with another owner's token", [commit({ token: "other" })]],
    ["one that skips a number", [commit({ number: 6 })]],
    ["one that consumes what is gone", [commit({ consumed: "9-9" })]],
    ["one that needs a key to be absent that is there", [commit({ absent: [keys.executor("a")] })]],
    ["one that needs a key to be absent that is not there", [commit({ absent: [keys.executorAlive("a")], writes: [["@stop-all", todo]] })]],
    [
      "stops of what is there and what is not",
      [
        commit({
          writes: [
            ["@stop", todo, "x"],
            ["@stop", todo, "z"],
          ],
        }),
      ],
    ],
    [
      "a new address for what is not told to stop",
      [
        commit({
          writes: [
            ["@readdress", todo, "x", "run:i2"],
            ["@readdress", todo, "y", "run:i2"],
          ],
        }),
      ],
    ],
    ["the removal of an executor", [commit({ writes: [["@remove-executor", keys.executor("a"), "i1", keys.executors, "a", todo]] })]],
    [
      "the removal of an executor that has registered anew",
      [commit({ writes: [["@remove-executor", keys.executor("a"), "i0", keys.executors, "a", todo]] })],
    ],
    [
      "events",
      [commit({ writes: [["@events", keys.events, keys.runEvents("r"), "[{},{}]", "", "[{}]"]] }), commit({ id: "sixth", number: 6 })],
    ],
  ] satisfies [string, Commit[]][])("%s", async (_, commits) => {
    for (const each of commits) {
      const { now: _at, ...real } = { now: 0, ...(await sendCommit(redis, keys, each)) };
      const { now: _then, ...simulated } = { now: 0, ...applyCommit(twin, 1, keys, each) };
      expect(simulated).toEqual(real);
    }
    expect(pictureOfTwin()).toEqual(await pictureOfRedis());
  });
});

function statesAndDeadlines(): Commit["writes"] {
  return [
    ["HSET", keys.state(shard), "run/a", "{}", "run/b", "{}"],
    ["HDEL", keys.state(shard), "run/a"],
    ["ZADD", keys.due(shard), 7, "run/b", 5, "run/c"],
    ["ZREM", keys.due(shard), "run/c"],
  ];
}

describe("the simulated Redis gives shards out as the script does", () => {
  it.each([
    ["to the first scheduler, all that are free", { scheduler: "s1", owned: [] }],
    ["to an owner whose chain was rolled back, anew", { scheduler: "s1", owned: [{ shard, token: "token", number: 9 }] }],
    ["to an owner that goes on", { scheduler: "s1", owned: [{ shard, token: "token", number: 4 }] }],
    ["but none that has another owner", { scheduler: "s1", owned: [{ shard, token: "stale", number: 4 }] }],
  ])("%s", async (_, claim) => {
    const request = { ...claim, leaseMs: 5_000, shards: 3, token: "fresh" };
    const { now: _at, ...real } = await claimOnRedis(redis, keys, request);
    const { now: _then, ...simulated } = claimShards(twin, 1, keys, request);
    expect(simulated).toEqual(real);
  });
});
