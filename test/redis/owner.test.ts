import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCommander } from "../../src/actors/commander.ts";
import type { Host } from "../../src/actors/host.ts";
import { createOwner } from "../../src/actors/owner.ts";
import type { OwnerStore } from "../../src/actors/owner-store.ts";
import { createRedisOwnerStore } from "../../src/actors/redis-owner-store.ts";
import { shardOfRoot } from "../../src/ids.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { sendMail } from "../../src/redis/mail.ts";
import { meetServer } from "../../src/redis/meet.ts";
import { initMeta } from "../../src/redis/scripts/init-meta.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { tallyHosts } from "./tally-actor.ts";

const shards = 4;
const leaseMs = 500;
const keys = createKeys("{test}");
const noop = () => {};

let server: TestRedis;
let redis: RedisConnection;
let open: { close: () => Promise<void> }[] = [];

beforeEach(async () => {
  server = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
  redis = createRedis(server.url, "commands");
  await initMeta(redis, keys, { installation: "i", shards, protocol: 1 });
  await meetServer(redis, keys);
});

afterEach(async () => {
  for (const { close } of open.reverse()) await close();
  open = [];
  redis.disconnect();
  await server.stop();
});

/** A scheduler's owner loop on connections of its own; `alter` wraps its port to Redis. */
function startOwner(
  scheduler: string,
  alter: (store: OwnerStore) => OwnerStore = (store) => store,
  hosts: ReadonlyMap<string, Host> = tallyHosts,
) {
  const commit = createRedis(server.url, "commit");
  const blocking = createRedis(server.url, "blocking");
  const store = createRedisOwnerStore({ redis: commit, blocking, keys, shards, confirm: async () => {} });
  let commits = 0;
  const forgotten: string[] = [];
  let deadLetters = 0;
  const counted: OwnerStore = {
    ...store,
    commit: (request) => {
      commits += 1;
      return store.commit(request);
    },
  };
  const owner = createOwner({
    scheduler,
    shards,
    leaseMs,
    heartbeatTtlMs: 1_000,
    store: alter(counted),
    hosts,
    keys,
    wakes: { wake: noop, forget: (executors) => forgotten.push(...executors) },
    handout: { hand: noop },
    monotonicMs: () => performance.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
    metrics: {
      committed: noop,
      abandoned: noop,
      tookOver: noop,
      deadLetter: () => {
        deadLetters += 1;
      },
    },
    log: pino({ level: process.env.TEST_LOG ?? "silent" }),
  });
  const stop = new AbortController();
  const running = owner.run(stop.signal);
  const close = async () => {
    stop.abort();
    await running;
    commit.disconnect();
    blocking.disconnect();
  };
  open.push({ close });
  return { owner, close, commits: () => commits, forgotten, deadLetters: () => deadLetters };
}

function groups(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/t/${i}`);
}

function shardOf(group: string): number {
  return shardOfRoot(group, shards);
}

async function tell(group: string, ...messages: unknown[]): Promise<void> {
  const letters = messages.map((message) => [`root-group/${group}`, message] as const);
  await sendMail(redis, keys, shardOf(group), letters);
}

async function tallyOf(group: string): Promise<{ sum: number; ticks: number }> {
  return JSON.parse((await redis.hget(keys.state(shardOf(group)), `root-group/${group}`)) ?? '{"sum":0,"ticks":0}');
}

async function sumIs(group: string, sum: number): Promise<void> {
  await until(`${group} sums up to ${sum}`, async () => (await tallyOf(group)).sum === sum);
}

async function inboxLengths(): Promise<number> {
  const lengths = await Promise.all(groups(20).map((group) => redis.xlen(keys.inbox(shardOf(group)))));
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Tallies of which each keeps the process busy for so long (ms) when it is read, as a run of 100,000 tasks does. */
function slowToOpen(ms: number): ReadonlyMap<string, Host> {
  const slowly = (host: Host): Host => ({
    ...host,
    open: (id, stored) => {
      for (const until = performance.now() + ms; performance.now() < until; );
      return host.open(id, stored);
    },
  });
  return new Map([...tallyHosts].map(([kind, host]) => [kind, slowly(host)]));
}

describe("an owner", () => {
  it("decides what waits in the inboxes of its shards, and trims it", async () => {
    for (const group of groups(20)) await tell(group, { type: "add", amount: 2 }, { type: "add", amount: 3 });
    startOwner("a");
    for (const group of groups(20)) await sumIs(group, 5);
    expect(await inboxLengths()).toBe(0);
  });

  it("makes one commit of 50 messages that wait for one actor", async () => {
    for (let i = 0; i < 50; i++) await tell("/t/0", { type: "add", amount: 1 });
    const { commits } = startOwner("a");
    await sumIs("/t/0", 50);
    expect(commits()).toBe(1);
  });

  it("delivers mail between own shards in the same commit", async () => {
    const [from = "", to = ""] = groups(20).filter((group, _, all) => group === all[0] || shardOf(group) !== shardOf(all[0] ?? ""));
    await tell(from, { type: "relay", amount: 7, to });
    const { commits } = startOwner("a");
    await sumIs(to, 7);
    expect((await tallyOf(from)).sum).toBe(7);
    expect(commits()).toBe(1);
  });

  it("ticks an actor when its deadline has come, and not before", async () => {
    startOwner("a");
    const before = Date.now();
    await tell("/t/1", { type: "alarm", at: before + 300 });
    await until("the tick came", async () => (await tallyOf("/t/1")).ticks === 1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(299);
    expect(await redis.zscore(keys.due(shardOf("/t/1")), "root-group//t/1")).toBeNull();
  });

  it("goes on although reading the states that it needs takes longer, one after the other, than its lease", async () => {
    for (const group of groups(12)) await tell(group, { type: "add", amount: 1 });
    startOwner("a", undefined, slowToOpen(leaseMs / 2));
    for (const group of groups(12)) await sumIs(group, 1);
  });

  it("goes on although one decision tells so many others that deciding about them all takes longer than its lease", async () => {
    await tell("/t/from", { type: "fan", amount: 1, to: groups(1_500) });
    startOwner("a", undefined, slowToOpen(leaseMs / 1_000));
    const told = async () => {
      const counts = await Promise.all(Array.from({ length: shards }, (_, shard) => redis.hlen(keys.state(shard))));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    await until("all were told", async () => (await told()) === 1_500, 60_000);
    for (const group of groups(20)) await sumIs(group, 1);
  }, 90_000);

  it("puts a message aside whose decision throws, counts it, and goes on", async () => {
    const { deadLetters } = startOwner("a");
    await tell("/t/2", { type: "throw" }, { type: "add", amount: 1 });
    await tell("/t/2", { type: "nonsense" });
    await redis.xadd(keys.inbox(shardOf("/t/2")), "*", "m", "{rubbish");
    await tell("/t/2", { type: "add", amount: 1 });
    await sumIs("/t/2", 2);
    expect(await redis.xlen(keys.dead(shardOf("/t/2")))).toBe(3);
    await until("all three are counted", () => deadLetters() === 3, 2_000);
  });

  it("has the wake-ups of an executor forgotten once its removal is committed", async () => {
    const { forgotten } = startOwner("a");
    await redis.hset(keys.executor("e"), "incarnation", "i");
    await tell("/t/1", { type: "remove", executor: "e" });
    await until("they are forgotten", () => forgotten.length > 0);
    expect(forgotten).toEqual(["e"]);
    expect(await redis.exists(keys.executor("e"))).toBe(0);
  });

  it("answers a command with the refusal of the actor", async () => {
    startOwner("a");
    const commander = createCommander({
      redis,
      blocking: createRedis(server.url, "blocking"),
      keys,
      shards,
      processId: "p1",
      confirm: async () => {},
      onError: noop,
    });
    open.push(commander);
    await expect(commander.ask({ kind: "root-group", id: "/t/3" }, { type: "refuse" }, { requestId: "r1" })).rejects.toMatchObject({
      code: "conflict",
      message: "no",
    });
    const { event } = await commander.ask({ kind: "root-group", id: "/t/3" }, { type: "add", amount: 1 }, { requestId: "r2" });
    expect(event).toMatch(/^\d+-\d+$/);
  });

  it("does not declare an executor lost whose heartbeat is there after all", async () => {
    await redis.set(keys.executorAlive("e"), "x", "PX", 400);
    startOwner("a");
    await tell("/t/4", { type: "declare-lost", executor: "e" });
    await sumIs("/t/4", 1);
    expect(await redis.exists(keys.executorAlive("e"))).toBe(0);
  });
});

describe("several owners", () => {
  it("share the shards fairly, and take over those of one that leaves", async () => {
    const first = startOwner("a");
    await until("a owns all", () => first.owner.owned().length === shards);
    const second = startOwner("b");
    await until("both own half", () => first.owner.owned().length === 2 && second.owner.owned().length === 2);
    await first.close();
    await until("b owns all", () => second.owner.owned().length === shards);
  });

  it("refuse the commit of one that slept longer than its lease", async () => {
    let wake = noop;
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let sleeping = false;
    startOwner("sleeper", (store) => ({
      ...store,
      commit: async (request) => {
        if (!sleeping && request.writes.some((write) => write.join(" ").includes('"sum":1'))) {
          sleeping = true;
          await asleep;
        }
        return store.commit(request);
      },
    }));
    await tell("/t/5", { type: "add", amount: 1 });
    await until("the owner sleeps", () => sleeping);
    startOwner("other");
    await sumIs("/t/5", 1);
    await tell("/t/5", { type: "add", amount: 1 });
    await sumIs("/t/5", 2);
    wake();
    await tell("/t/5", { type: "add", amount: 1 });
    await sumIs("/t/5", 3);
  });

  it("apply a commit once whose answer was lost", async () => {
    let lost = 0;
    startOwner("a", (store) => ({
      ...store,
      commit: async (request) => {
        const reply = await store.commit(request);
        if (lost++ === 0) throw new Error("the connection broke before the answer");
        return reply;
      },
    }));
    await tell("/t/6", { type: "add", amount: 1 });
    await sumIs("/t/6", 1);
    await tell("/t/6", { type: "add", amount: 1 });
    await sumIs("/t/6", 2);
    expect(lost).toBeGreaterThan(1);
  });
});

describe("an owner whose Redis fails", () => {
  it("goes on after Redis was killed and started again", async () => {
    startOwner("a");
    await tell("/t/7", { type: "add", amount: 1 });
    await sumIs("/t/7", 1);
    server.kill("SIGKILL");
    await server.restart();
    await until("Redis answers", async () => (await redis.ping().catch(() => "")) === "PONG");
    await tell("/t/7", { type: "add", amount: 1 });
    await sumIs("/t/7", 2);
  });

  it("starts anew from a Redis that has lost its last second, although the lease is still valid", async () => {
    const { owner } = startOwner("a");
    await tell("/t/8", { type: "add", amount: 1 });
    await sumIs("/t/8", 1);
    const shard = shardOf("/t/8");
    const field = "root-group//t/8";
    const [state, chain] = [await redis.hget(keys.state(shard), field), await redis.hgetall(keys.sequence(shard))];
    await tell("/t/8", { type: "add", amount: 10 });
    await sumIs("/t/8", 11);
    expect(owner.owned()).toContain(shard);
    await redis
      .multi()
      .hset(keys.state(shard), field, state ?? "")
      .hset(keys.sequence(shard), chain)
      .exec();
    await tell("/t/8", { type: "add", amount: 100 });
    await sumIs("/t/8", 101);
  });

  it("keeps its batch while Redis is full, and commits it then", async () => {
    startOwner("a");
    await tell("/t/9", { type: "add", amount: 1 });
    await sumIs("/t/9", 1);
    await tell("/t/9", { type: "add", amount: 1 });
    await redis.config("SET", "maxmemory", "1");
    await sumIs("/t/9", 2);
    await redis.config("SET", "maxmemory", "0");
  });
});

describe("a message that kills its owner", () => {
  it("is put aside after it has killed three, and the shard goes on", async () => {
    const shard = shardOf("/t/10");
    await tell("/t/10", { type: "add", amount: 13 });
    await tell("/t/10", { type: "add", amount: 1 });
    // An owner that never gets beyond the amount 13, as if that killed it.
    const mortal = (store: OwnerStore): OwnerStore => ({
      ...store,
      commit: async (request) => {
        if (request.writes.some((write) => /"sum":1[34]/.test(write.join(" ")))) throw new Error("killed");
        return store.commit(request);
      },
    });
    const strikes = async () => (await redis.hvals(keys.strikes(shard))).join(",");
    const through = async () => (await tallyOf("/t/10")).sum === 1;
    for (let life = 0; life < 6 && !(await through()); life++) {
      const { close } = startOwner(`mortal-${life}`, mortal);
      await until("it struck or got through", async () => (await strikes()).includes(`mortal-${life}`) || (await through()));
      await close();
    }
    await sumIs("/t/10", 1);
    expect(await redis.xlen(keys.dead(shard))).toBe(1);
  });
});
