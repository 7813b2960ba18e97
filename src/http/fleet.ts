import { z } from "zod";
import { ExecutorDescription, ExecutorLife } from "../actors/executor/description.ts";
import { ExecutorRecord } from "../actors/executor/state.ts";
import { type Leftover, leftovers, StoredExecutorGroup } from "../actors/executor-group/state.ts";
import type { Requirement } from "../actors/pool/messages.ts";
import { decode as decodePool, readRequest } from "../actors/pool/record.ts";
import { slotsOf } from "../actors/pool/state.ts";
import { parseAssignmentId, shardOfExecutorGroup, shardOfPool } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { listActors } from "./list-actors.ts";

/** An executor as Redis knows it: its record, its heartbeat, and what the pool has given it. */
export interface ExecutorReading {
  readonly description: ExecutorDescription;
  readonly life: ExecutorLife;
  readonly leaveWhenEmpty: boolean;
  /** Ms since the epoch; undefined once the heartbeat has expired. */
  readonly lastHeartbeatAt: number | undefined;
  readonly registeredAt: number;
  readonly liveAssignments: number;
}

/** A pool: its executors, and the tasks that wait for one. */
export interface PoolReading {
  readonly id: string;
  readonly executors: readonly ExecutorReading[];
  readonly live: number;
  /** How many more tasks its executors would be given at once. */
  readonly freeSlots: number;
  readonly backlog: readonly BacklogClass[];
}

export interface BacklogClass {
  readonly requirement: Requirement;
  readonly waiting: number;
  /** When (ms) the task that has waited longest was queued. */
  readonly oldestQueuedAt: number;
}

/** The executors that see the same pods, and what lost ones have left there. */
export interface GroupReading {
  readonly id: string;
  readonly executors: readonly ExecutorReading[];
  readonly leftovers: readonly Leftover[];
}

/** An executor's own record, the living members of its group that remove what it left, and what it runs. */
export interface ExecutorDetails {
  readonly record: ExecutorRecord | undefined;
  readonly cleaners: readonly string[];
  readonly assignments: readonly LiveAssignment[];
}

export interface LiveAssignment {
  readonly id: string;
  readonly runId: string;
  /** Index in the run's graph. */
  readonly task: number;
  readonly attempt: number;
}

export interface Fleet {
  readonly executors: () => Promise<readonly ExecutorReading[]>;
  readonly details: (executor: ExecutorReading) => Promise<ExecutorDetails>;
  readonly pools: () => Promise<readonly PoolReading[]>;
  readonly groups: () => Promise<readonly GroupReading[]>;
  /** The pool of an executor, without which nobody can write to it; undefined for an unknown one. */
  readonly poolOf: (executor: string) => Promise<string | undefined>;
  /** Redis's clock, ms. */
  readonly now: () => Promise<number>;
}

const count = z.string().transform(Number);
const Record = z.object({
  life: ExecutorLife.default("active"),
  leave: z.string().default(""),
  pool: z.string(),
  ttlMs: count,
  registeredAt: count,
  description: z.string().transform((text) => ExecutorDescription.parse(JSON.parse(text))),
});

function countBy(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** One odd record must not hide the others: it is left out. */
function readable<T>(schema: z.ZodType<T>, raw: unknown): T | undefined {
  const parsed = schema.safeParse(raw);
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function classesOf(requests: Readonly<Record<string, string>>): BacklogClass[] {
  const classes = new Map<string, { requirement: Requirement; waiting: number; oldestQueuedAt: number }>();
  for (const [key, text] of Object.entries(requests)) {
    const { class: name, requirement, queuedAt } = readRequest(key, text);
    const known = classes.get(name);
    if (known) {
      known.waiting += 1;
      known.oldestQueuedAt = Math.min(known.oldestQueuedAt, queuedAt);
    } else classes.set(name, { requirement, waiting: 1, oldestQueuedAt: queuedAt });
  }
  return [...classes.values()];
}

export function createFleet({
  redis,
  keys,
  shards,
}: {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly shards: number;
}): Fleet {
  const now = async () => {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  };

  /** The executors of every assignment in the pools' books. */
  const liveOf = async (pools: readonly string[]) => {
    const books = await Promise.all(pools.map((pool) => redis.hvals(keys.poolLive(pool))));
    return new Map(pools.map((pool, index) => [pool, countBy(books[index] ?? [])]));
  };

  const records = async () => {
    const ids = (await redis.smembers(keys.executors)).sort();
    const [at, ...read] = await Promise.all([
      now(),
      ...ids.map(async (id) => ({ record: await redis.hgetall(keys.executor(id)), remainingMs: await redis.pttl(keys.executorAlive(id)) })),
    ]);
    return read.flatMap(({ record, remainingMs }) => {
      const parsed = readable(Record, record);
      return parsed ? [{ ...parsed, lastHeartbeatAt: remainingMs > 0 ? at - Math.max(0, parsed.ttlMs - remainingMs) : undefined }] : [];
    });
  };

  const executors = async (): Promise<ExecutorReading[]> => {
    const known = await records();
    const live = await liveOf([...new Set(known.map(({ pool }) => pool))]);
    return known.map(({ description, life, leave, lastHeartbeatAt, registeredAt, pool }) => ({
      description,
      life,
      leaveWhenEmpty: leave === "1",
      lastHeartbeatAt,
      registeredAt,
      liveAssignments: live.get(pool)?.get(description.id) ?? 0,
    }));
  };

  /** Also pools that no executor is in: somebody may wait there. */
  const poolIds = async (known: readonly ExecutorReading[]) => {
    const remembered = await listActors(redis, keys, { kind: "pool", shards });
    return [...new Set([...known.map(({ description }) => description.pool), ...remembered])].sort();
  };

  const stateOf = async <T>(schema: z.ZodType<T>, shard: number, actor: string): Promise<T | undefined> => {
    const state = await redis.hget(keys.state(shard), actor);
    return state === null ? undefined : readable(schema, parseJson(state));
  };
  const leftoversOf = async (group: string) => {
    const stored = await stateOf(StoredExecutorGroup, shardOfExecutorGroup(group, shards), `executor-group/${group}`);
    return stored ? leftovers({ id: group, members: stored.members }) : [];
  };

  /** What the pool itself goes by: an executor may have fewer slots than its limit, and one that is back none yet. */
  const bookOf = async (id: string) => {
    const [live, known] = await Promise.all([redis.hgetall(keys.poolLive(id)), redis.hgetall(keys.poolExecutors(id))]);
    const pool = decodePool(id, { state: null, parts: [{}, live, known] });
    const freeSlots = [...pool.executors.values()].reduce((sum, executor) => sum + Math.max(0, slotsOf(executor) - executor.live), 0);
    return { live: pool.live.size, freeSlots };
  };

  return {
    executors,
    details: async ({ description: { id, pool, group } }) => {
      const [record, left, book] = await Promise.all([
        stateOf(ExecutorRecord, shardOfPool(pool, shards), `executor/${id}`),
        leftoversOf(group),
        redis.hgetall(keys.poolLive(pool)),
      ]);
      const assignments = Object.entries(book).flatMap(([assignment, executor]): LiveAssignment[] => {
        const parts = executor === id ? parseAssignmentId(assignment) : undefined;
        return parts ? [{ id: assignment, runId: parts.runId, task: parts.task, attempt: parts.attempt }] : [];
      });
      return { record, cleaners: left.find(({ executor }) => executor === id)?.cleaners ?? [], assignments };
    },
    pools: async () => {
      const known = await executors();
      const ids = await poolIds(known);
      return Promise.all(
        ids.map(async (id) => ({
          id,
          executors: known.filter(({ description }) => description.pool === id),
          ...(await bookOf(id)),
          backlog: classesOf(await redis.hgetall(keys.poolReady(id))),
        })),
      );
    },
    groups: async () => {
      const known = await executors();
      const remembered = await listActors(redis, keys, { kind: "executor-group", shards });
      const ids = [...new Set([...known.map(({ description }) => description.group), ...remembered])].sort();
      return Promise.all(
        ids.map(async (id) => ({
          id,
          executors: known.filter(({ description }) => description.group === id),
          leftovers: await leftoversOf(id),
        })),
      );
    },
    poolOf: async (executor) => (await redis.hget(keys.executor(executor), "pool")) ?? undefined,
    now,
  };
}
