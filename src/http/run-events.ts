import { z } from "zod";
import { readArchivedEvents } from "../archive/events-object.ts";
import { parseRunId } from "../ids.ts";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { parseRunHash } from "../runs/facts.ts";
import { isTerminalPhase } from "../runs/states.ts";
import { RunEvent } from "../runs/view.ts";

/** Some of a run's events, in order. */
export interface RunEventPage {
  readonly events: readonly RunEvent[];
  /** True if none will ever follow them. */
  readonly ended: boolean;
}

export interface RunEventReader {
  /** Up to about `limit` events after `seq`; undefined for a run that does not exist, or was deleted. Works alike before and after archiving. */
  readonly read: (runId: string, after: number, limit: number) => Promise<RunEventPage | undefined>;
}

export interface RunEventReaderDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
}

/** One element of a live run's list: the events of one commit. */
const Batch = z.array(RunEvent);

function parseBatch(text: string | null | undefined): readonly RunEvent[] {
  return text === null || text === undefined ? [] : Batch.parse(JSON.parse(text));
}

/** A run's last commit with events is the one that ends it. */
function isEnd(events: readonly RunEvent[]): boolean {
  return events.some((event) => event.type === "run" && isTerminalPhase(event.phase));
}

export function createRunEventReader({ redis, keys, store }: RunEventReaderDeps): RunEventReader {
  const batchesPerRead = 50;

  /** Index of the first batch that may hold an event after `seq`: batches ascend, so halving finds it. */
  const seek = async (key: string, seq: number): Promise<number> => {
    let low = 0;
    let high = await redis.llen(key);
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const [first] = parseBatch(await redis.lindex(key, middle));
      if (first !== undefined && first.seq <= seq) low = middle;
      else high = middle;
    }
    return low;
  };

  const readLive = async (runId: string, after: number, limit: number): Promise<RunEventPage> => {
    const key = keys.runEvents(runId);
    const events: RunEvent[] = [];
    let ended = false;
    for (let at = await seek(key, after); events.length < limit && !ended; at += batchesPerRead) {
      const batches = (await redis.lrange(key, at, at + batchesPerRead - 1)).map(parseBatch);
      for (const batch of batches) {
        if (events.length >= limit) break;
        events.push(...batch.filter((event) => event.seq > after));
        ended ||= isEnd(batch);
      }
      if (batches.length < batchesPerRead) break;
    }
    return { events, ended };
  };

  const readArchived = async (runId: string, after: number, limit: number): Promise<RunEventPage | undefined> => {
    const archived = await readArchivedEvents(store, runId, after);
    if (!archived) return undefined;
    const events: RunEvent[] = [];
    for await (const event of archived) {
      if (events.length === limit) return { events, ended: false };
      events.push(event);
    }
    return { events, ended: true };
  };

  return {
    read: async (runId, after, limit) => {
      if (!parseRunId(runId)) return undefined;
      // The hash goes in the same commit as the list: if it is still there after the list was read, so was the whole list.
      const page = await readLive(runId, after, limit);
      const hash = parseRunHash(runId, await redis.hgetall(keys.run(runId)));
      return hash.type === "known" ? page : readArchived(runId, after, limit);
    },
  };
}
