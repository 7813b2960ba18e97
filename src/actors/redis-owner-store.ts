import { z } from "zod";
import { shardOfPool } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import type { Letter } from "../redis/mail.ts";
import { meetServer } from "../redis/meet.ts";
import { claimShards } from "../redis/scripts/claim-shards.ts";
import { sendCommit } from "../redis/scripts/commit.ts";
import { releaseShards } from "../redis/scripts/release-shards.ts";
import type { RecordedWork, Stored } from "./actor.ts";
import type { Heartbeat, InboxEntry, OwnerStore } from "./owner-store.ts";

const entriesPerRead = 200;

const Work = z.object({
  type: z.enum(["write-definition", "archive", "delete-run"]),
  runId: z.string(),
  at: z.number(),
});

function isLetter(raw: unknown): raw is Letter {
  if (!Array.isArray(raw) || typeof raw[0] !== "string") return false;
  return raw.length === 2 || (raw.length === 4 && typeof raw[2] === "string" && typeof raw[3] === "string");
}

/** By hand, since every message of the installation comes this way; the actor then parses its own message. */
function parseLetters(raw: string): readonly Letter[] | undefined {
  try {
    const letters: unknown = JSON.parse(raw);
    return Array.isArray(letters) && letters.every(isLetter) ? letters : undefined;
  } catch {
    return undefined;
  }
}

function parseWork(raw: string): RecordedWork | undefined {
  try {
    return Work.parse(JSON.parse(raw));
  } catch {
    return undefined;
  }
}

/** The result of one command of a pipeline; a command's error is thrown. */
function resultsOf(replies: readonly [Error | null, unknown][] | null): unknown[] {
  if (!replies) throw new Error("a pipeline without an answer");
  return replies.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

/** Per stream its key and its entries, each with id and flat fields; null if nothing came. */
const StreamReading = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])).nullable();

const stringRecord = z.record(z.string(), z.string());
const stringList = z.array(z.string());
const nullableStrings = z.array(z.string().nullable());

/** By hand, as letters are: every state of the installation comes this way. */
function textOrNull(value: unknown): string | null {
  if (value === null || typeof value === "string") return value;
  throw new Error("Redis answered with something else than a text");
}

function textsByField(value: unknown): Readonly<Record<string, string>> {
  if (typeof value === "object" && value !== null && isTextsByField(value)) return value;
  throw new Error("Redis answered with something else than the fields of a hash");
}

function isTextsByField(value: object): value is Readonly<Record<string, string>> {
  for (const text of Object.values(value)) if (typeof text !== "string") return false;
  return true;
}

export interface RedisOwnerStoreOptions {
  /** Of role `commit`. */
  readonly redis: RedisConnection;
  /** Of role `blocking`. */
  readonly blocking: RedisConnection;
  readonly keys: Keys;
  readonly shards: number;
  readonly confirm: Confirm;
}

/** The owner's port to Redis. */
export function createRedisOwnerStore({ redis, blocking, keys, shards, confirm }: RedisOwnerStoreOptions): OwnerStore {
  // A new connection may lead to another server: it is met before anything else is asked on it.
  let met = false;
  redis.on("close", () => {
    met = false;
  });
  const ready = async () => {
    if (met) return redis;
    if (redis.status === "wait" || redis.status === "end") await redis.connect();
    await meetServer(redis, keys);
    met = true;
    return redis;
  };

  return {
    confirm,
    claim: async (claim) => claimShards(await ready(), keys, claim),
    release: async (scheduler, owned) => {
      await releaseShards(await ready(), keys, { scheduler, owned });
    },
    commit: async (commit) => sendCommit(await ready(), keys, commit),

    takeOver: async (shard) => {
      const pipeline = (await ready()).pipeline();
      pipeline.hget(keys.sequence(shard), "n");
      pipeline.zrange(keys.due(shard), "0", "-1", "WITHSCORES");
      pipeline.hgetall(keys.effects(shard));
      pipeline.hexists(keys.strikes(shard), "batch");
      const [number, due, effects, struck] = resultsOf(await pipeline.exec());
      const flat = stringList.parse(due);
      const deadlines: { actor: string; at: number }[] = [];
      for (let i = 0; i + 1 < flat.length; i += 2) deadlines.push({ actor: flat[i] ?? "", at: Number(flat[i + 1]) });
      const recorded = Object.entries(stringRecord.parse(effects)).flatMap(([id, raw]) => {
        const work = parseWork(raw);
        return work ? [{ id, work }] : [];
      });
      return { number: Number(number ?? 0), deadlines, recorded, struck: struck === 1 };
    },

    read: async (after, waitMs) => {
      const names = after.map(({ shard }) => keys.inbox(shard));
      const ids = after.map((position) => position.after);
      const shardOf = new Map(after.map(({ shard }) => [keys.inbox(shard), shard]));
      const connection = waitMs > 0 ? await openBlocking(blocking) : await ready();
      const block = waitMs > 0 ? ["BLOCK", waitMs] : [];
      const answer = StreamReading.parse(await connection.call("XREAD", ["COUNT", entriesPerRead, ...block, "STREAMS", ...names, ...ids]));
      const entries: InboxEntry[] = [];
      for (const [key, found] of answer ?? []) {
        const shard = shardOf.get(key);
        if (shard === undefined) continue;
        for (const [id, [, raw = ""]] of found) entries.push({ shard, id, raw, letters: parseLetters(raw) });
      }
      return entries;
    },

    load: async (actors) => {
      const pipeline = (await ready()).pipeline();
      for (const { shard, actor, parts } of actors) {
        pipeline.hget(keys.state(shard), actor);
        for (const { key, type } of parts) type === "hash" ? pipeline.hgetall(key) : pipeline.get(key);
      }
      const results = resultsOf(await pipeline.exec());
      let at = 0;
      return actors.map(({ parts }): Stored => {
        const state = textOrNull(results[at++]);
        return { state, parts: parts.map(({ type }) => (type === "hash" ? textsByField(results[at++]) : textOrNull(results[at++]))) };
      });
    },

    heartbeats: async (owned) => {
      const connection = await ready();
      const ids = await connection.smembers(keys.executors);
      if (ids.length === 0) return [];
      const pipeline = connection.pipeline();
      for (const id of ids) pipeline.hget(keys.executor(id), "pool").get(keys.executorAlive(id));
      const found = nullableStrings.parse(resultsOf(await pipeline.exec()));
      return ids.flatMap((executor, index): Heartbeat[] => {
        const pool = found[2 * index];
        if (typeof pool !== "string") return [];
        const shard = shardOfPool(pool, shards);
        return owned.has(shard) ? [{ executor, pool, shard, incarnation: found[2 * index + 1] ?? undefined }] : [];
      });
    },

    strike: async (shard, position, scheduler) => {
      const connection = await ready();
      const others = ((await connection.hget(keys.strikes(shard), position))?.split(",") ?? []).filter((known) => known !== scheduler);
      await connection.hset(keys.strikes(shard), position, [...others, scheduler].join(","));
      if (others.length === 0) return 1;
      const [seconds] = await connection.time();
      const alive = new Set(await connection.zrangebyscore(keys.schedulers, Number(seconds) * 1000, "+inf"));
      return others.filter((other) => !alive.has(other)).length + 1;
    },
  };
}

async function openBlocking(blocking: RedisConnection): Promise<RedisConnection> {
  if (blocking.status === "wait" || blocking.status === "end") await blocking.connect();
  return blocking;
}
