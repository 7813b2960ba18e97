import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { layout } from "./layout.ts";
import type { LogIndex } from "./log-format.ts";
import { openLog } from "./log-object.ts";
import { deleteSegments, type SegmentPlace } from "./log-segments.ts";
import { closeTail, type LogEnd } from "./log-tail.ts";
import { type LogText, putLog } from "./log-writer.ts";
import type { Store } from "./store.ts";

export interface LogOutlets {
  readonly store: Store;
  readonly redis: RedisConnection;
  readonly keys: Keys;
}

export interface FinishedLog {
  readonly place: SegmentPlace;
  /** The whole log from address 0: from the executor's spool, or what was shipped with a gap at the end. */
  readonly chunks: LogText["chunks"];
  /** Something was appended to its tail or written as a segment: those go once the object is there. */
  readonly shipped: boolean;
}

const emptyLog: LogEnd = { size: 0, sha256: null, complete: true };

const endOfIndex = (index: LogIndex): LogEnd => ({ size: index.size, sha256: index.sha256, complete: index.complete });

/**
 * Turns a log into its one object, tells followers, and removes tail and segments. Idempotent: a log that this assignment
 * has stored already stays as it is. After a roll-back two assignments may have the same attempt number: the one that began later wins.
 */
export async function finishLog({ store, redis, keys }: LogOutlets, log: FinishedLog): Promise<LogEnd> {
  const key = layout.log(log.place);
  const { assignment } = log.place;
  const there = (await openLog(store, key))?.index;
  const index =
    there?.assignment === assignment ? there : await putUnlessOlder(store, key, { text: { assignment, chunks: log.chunks }, there });
  const end = index ? endOfIndex(index) : emptyLog;
  if (!log.shipped) return end;
  await closeTail(redis, keys, { assignment, step: log.place.step, end });
  await deleteSegments(store, log.place);
  return end;
}

interface Contest {
  readonly text: LogText;
  readonly there: LogIndex | undefined;
}

async function putUnlessOlder(store: Store, key: string, { text, there }: Contest): Promise<LogIndex | undefined> {
  if (!there) return putLog(store, key, text, { onlyIfAbsent: true });
  return putLog(store, key, { ...text, chunks: refuseOlder(text.chunks, there.begunAt) }, { onlyIfAbsent: false }).catch(
    (error: unknown) => {
      if (error instanceof OlderLog) return there;
      throw error;
    },
  );
}

/** Ends the put of a log that began before the one that is stored. */
class OlderLog extends Error {}

async function* refuseOlder(chunks: LogText["chunks"], begunAt: number) {
  let first = true;
  for await (const chunk of chunks) {
    if (first && (chunk.type === "gap" || chunk.at <= begunAt)) throw new OlderLog();
    first = false;
    yield chunk;
  }
}
