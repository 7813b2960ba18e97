import { OstlerError } from "../errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";

/** Above this share of `maxmemory` nothing new is taken in, so that what is there can go on to its end. */
const maxMemoryShare = 0.75;
/** So many letters wait when schedulers are away or far behind: more runs would only wait longer. */
const maxInboxEntries = 200_000;
/** Jobs of up to 50 runs each. */
const maxArchiveJobs = 10_000;
/** A look costs two round trips; half a second of creates more or less does no harm. */
const lookEveryMs = 500;

export interface Load {
  /** Of `maxmemory`; 0 where none is set. */
  readonly memoryShare: number;
  readonly inboxEntries: number;
  readonly archiveJobs: number;
}

function infoNumber(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
}

export async function measureLoad(redis: RedisConnection, keys: Keys, shards: number): Promise<Load> {
  const info = await redis.info("memory");
  const max = infoNumber(info, "maxmemory");
  const inboxes = await Promise.all(Array.from({ length: shards }, (_, shard) => redis.xlen(keys.inbox(shard))));
  return {
    memoryShare: max === 0 ? 0 : infoNumber(info, "used_memory") / max,
    inboxEntries: inboxes.reduce((sum, length) => sum + length, 0),
    archiveJobs: await redis.llen(`${keys.prefix}:archive:wait`),
  };
}

function refusalOf({ memoryShare, inboxEntries, archiveJobs }: Load): OstlerError | undefined {
  const percent = Math.round(memoryShare * 100);
  if (memoryShare > maxMemoryShare)
    return new OstlerError("overloaded", `Redis uses ${percent} % of its memory; new runs are accepted below 75 %`);
  if (inboxEntries > maxInboxEntries) return new OstlerError("overloaded", `${inboxEntries} messages wait for the schedulers`);
  if (archiveJobs > maxArchiveJobs) return new OstlerError("overloaded", `${archiveJobs} batches of finished runs wait to be archived`);
  return undefined;
}

/** Throws `overloaded` while there is no room for new runs. Looks at most twice a second. */
export function createRoomCheck(look: () => Promise<Load>, monotonicMs: () => number): () => Promise<void> {
  let last: Promise<Load> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = monotonicMs();
    if (last === undefined || now - lookedAt > lookEveryMs) {
      lookedAt = now;
      last = look();
      // A look that failed is not remembered.
      last.catch(() => {
        last = undefined;
      });
    }
    const refusal = refusalOf(await last);
    if (refusal) throw refusal;
  };
}
