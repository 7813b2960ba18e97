import type { Store } from "../ost/store.ts";
import { rowOfLostRun, rowOfRun } from "../read-model/row-of-run.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { readArchivedDefinition } from "./definition-object.ts";
import { deleteRun } from "./delete-run.ts";
import { readArchivedRun } from "./run-object.ts";

export interface DeletionOutlets {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
  readonly now: () => number;
}

/**
 * Deletes a run that Redis does not know any more, and tells all lists. Idempotent. Answers the entry of the event stream
 * after which everybody knows; undefined if ost has no such run either.
 */
export async function deleteArchivedRun({ redis, keys, store, now }: DeletionOutlets, runId: string): Promise<string | undefined> {
  const archived = await readArchivedRun(store, runId);
  const stored = await readArchivedDefinition(store, runId);
  if (!archived && !stored) return undefined;
  const row = archived ? rowOfRun(archived.run) : stored && rowOfLostRun(stored);
  await deleteRun(store, { runId, ...(stored ? { known: stored } : {}), now: now() });
  await redis.xadd(keys.indexRows, "*", "r", JSON.stringify([{ ...row, deleted: true }]));
  // An entry without an event, behind the row: who has seen it has seen the row.
  return (await redis.xadd(keys.events, "*", "e", "[]")) ?? undefined;
}
