import type { Heartbeat, InboxEntry, InboxPosition, OwnerStore } from "../../src/actors/owner-store.ts";
import { shardOfPool } from "../../src/ids.ts";
import type { Keys } from "../../src/redis/keys.ts";
import type { Letter } from "../../src/redis/mail.ts";
import { applyCommit } from "./commit-script.ts";
import type { Process } from "./process.ts";
import type { RedisServer } from "./redis-server.ts";
import { claimShards, releaseShards } from "./shard-scripts.ts";

export interface OwnerPortOptions {
  readonly process: Process;
  readonly redis: RedisServer;
  readonly keys: Keys;
  readonly shards: number;
  /** Told right after a commit was applied. */
  readonly onCommitted: () => void;
}

/** The owner loop's port to the simulated Redis: the twin of `createRedisOwnerStore`. */
export function createOwnerPort({ process, redis: server, keys, shards, onCommitted }: OwnerPortOptions): OwnerStore {
  const { commands: redis, now } = server;

  const entriesAfter = (positions: readonly InboxPosition[]): InboxEntry[] =>
    positions.flatMap(({ shard, after }) =>
      redis
        .entries(keys.inbox(shard))
        .filter(({ id }) => isLater(id, after))
        .map(({ id, fields: [, raw = ""] }) => ({ shard, id, raw, letters: JSON.parse(raw) satisfies readonly Letter[] })),
    );

  /** The process notices only while it is awake. */
  const redisAppended = () => server.appended().then(() => process.sleep(0));

  return {
    confirm: () => process.ask(() => undefined),
    claim: (claim) => process.ask(() => claimShards(redis, now(), keys, claim)),
    release: (scheduler, owned) => process.ask(() => releaseShards(redis, keys, { scheduler, owned })),
    commit: (commit) =>
      process.ask(() => {
        if (server.isFull()) throw new Error("OOM command not allowed when used memory > 'maxmemory'");
        const reply = applyCommit(redis, now(), keys, structuredClone(commit));
        if (reply.type === "committed") onCommitted();
        return reply;
      }),
    takeOver: (shard) =>
      process.ask(() => ({
        number: Number(redis.hash(keys.sequence(shard)).get("n") ?? 0),
        deadlines: [...redis.scores(keys.due(shard))].map(([actor, at]) => ({ actor, at })),
        recorded: [...redis.hash(keys.effects(shard))].map(([id, raw]) => ({ id, work: JSON.parse(raw) })),
        struck: redis.hash(keys.strikes(shard)).has("batch"),
      })),
    read: async (positions, waitMs) => {
      const found = await process.ask(() => entriesAfter(positions));
      if (found.length > 0 || waitMs <= 0) return found;
      await Promise.race([process.sleep(waitMs), redisAppended()]);
      return process.ask(() => entriesAfter(positions));
    },
    load: (actors) =>
      process.ask(() =>
        actors.map(({ shard, actor, parts }) => ({
          state: redis.hash(keys.state(shard)).get(actor) ?? null,
          parts: parts.map(({ key, type }) => (type === "hash" ? Object.fromEntries(redis.hash(key)) : (redis.get(key) ?? null))),
        })),
      ),
    heartbeats: (owned) =>
      process.ask(() =>
        [...redis.members(keys.executors)].flatMap((executor): Heartbeat[] => {
          const pool = redis.hash(keys.executor(executor)).get("pool");
          if (pool === undefined || !owned.has(shardOfPool(pool, shards))) return [];
          return [{ executor, pool, shard: shardOfPool(pool, shards), incarnation: redis.get(keys.executorAlive(executor)) }];
        }),
      ),
    strike: (shard, position, scheduler) =>
      process.ask(() => {
        const known = (redis.hash(keys.strikes(shard)).get(position) ?? "").split(" ").filter(Boolean);
        const others = known.filter((other) => other !== scheduler);
        redis.hset(keys.strikes(shard), position, [...others, scheduler].join(" "));
        const registeredUntil = redis.scores(keys.schedulers);
        return others.filter((other) => (registeredUntil.get(other) ?? 0) <= now()).length + 1;
      }),
  };
}

function isLater(id: string, than: string): boolean {
  const [ms = 0, sequence = 0] = id.split("-").map(Number);
  const [thanMs = 0, thanSequence = 0] = than.split("-").map(Number);
  return ms > thanMs || (ms === thanMs && sequence > thanSequence);
}
