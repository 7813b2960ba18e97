import { z } from "zod";
import { inParallel } from "../ost/in-parallel.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";

/** Readers of the installation's events may be away for so long without starting from a snapshot. */
const keepEventsMs = 3_600_000;
/** An api process that was away for less continues its read model from the rows; after more it also looks into ost. */
const keepRowsMs = 600_000;
const rowsPerRead = 500;
const checksAtOnce = 16;

interface TrimOutlets {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
}

/** Forgets events older than an hour; answers how many. */
export async function trimEvents({ redis, keys }: TrimOutlets, now: number): Promise<number> {
  return redis.xtrim(keys.events, "MINID", "~", `${now - keepEventsMs}-0`);
}

const Rows = z.array(z.object({ runId: z.string() }));

/**
 * Deletes rows that every reader has had the time to see, of runs that ost knows: until there are dumps, the objects of a
 * run stand for its rows. Answers how many entries went. Rows of runs that go on stay, whatever their age.
 */
export async function trimRows({ redis, keys, store }: TrimOutlets, now: number): Promise<number> {
  const settled = new Map<string, boolean>();
  let trimmed = 0;
  for (let from = "-"; ; ) {
    const entries = await redis.xrange(keys.indexRows, from, `${now - keepRowsMs}`, "COUNT", rowsPerRead);
    const last = entries.at(-1);
    if (!last) return trimmed;
    const concerned = entries.map(([id, fields]) => ({ id, runs: Rows.parse(JSON.parse(fields[1] ?? "[]")).map(({ runId }) => runId) }));
    const unknown = new Set(concerned.flatMap(({ runs }) => runs).filter((runId) => !settled.has(runId)));
    for (const runId of await forgottenByRedis(redis, keys, [...unknown])) settled.set(runId, true);
    await inParallel(unknown, checksAtOnce, async (runId) => {
      settled.set(runId, settled.has(runId) && (await isInStore(store, runId)));
    });
    const condemned = concerned.filter(({ runs }) => runs.every((runId) => settled.get(runId))).map(({ id }) => id);
    if (condemned.length > 0) trimmed += await redis.xdel(keys.indexRows, ...condemned);
    from = `(${last[0]}`;
  }
}

/** Of these runs, those of which Redis has no more than a tombstone. */
async function forgottenByRedis(redis: RedisConnection, keys: Keys, runs: readonly string[]): Promise<readonly string[]> {
  const pipeline = redis.pipeline();
  // A tombstone has a number too.
  for (const runId of runs) pipeline.hexists(keys.run(runId), "group");
  const replies = (await pipeline.exec()) ?? [];
  return runs.filter((_, i) => {
    const [fault, exists] = replies[i] ?? [new Error("no reply"), 1];
    if (fault) throw fault;
    return exists === 0;
  });
}

async function isInStore(store: Store, runId: string): Promise<boolean> {
  return (await store.stat(layout.run(runId))) !== undefined || (await store.stat(layout.runDeleted(runId))) !== undefined;
}
