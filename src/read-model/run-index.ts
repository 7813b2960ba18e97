import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { EarlyResult } from "./apply.ts";
import { type FeedBatch, runFeed, type StreamPositions } from "./feed.ts";
import { fillFromStore } from "./fill.ts";
import type { ReadModel } from "./read-model.ts";
import { keepsAfter, oldestKept } from "./stream-gap.ts";
import { firstStreamId } from "./stream-id.ts";

export interface RunIndexOptions {
  readonly model: ReadModel;
  readonly store: Store;
  /** For short commands. */
  readonly redis: RedisConnection;
  readonly connect: () => RedisConnection;
  readonly keys: Keys;
  readonly log: Logger;
  /** Told of every batch after the model has taken it in, and of every beginning. */
  readonly onBegin: (history: string, position: StreamPositions) => void;
  readonly onBatch: (batch: FeedBatch) => void;
}

export interface RunIndex {
  /** False while runs of ost are still missing: lists are `partial`. */
  readonly complete: () => boolean;
  readonly close: () => Promise<void>;
}

const retryMs = 2_000;

/** An event that sets a run's result while it is still running. */
function earlyResults({ entries }: FeedBatch): EarlyResult[] {
  return entries.flatMap(({ events }) =>
    events.flatMap((event) => (event.type === "run" && event.phase === "running" ? [{ runId: event.runId, result: event.result }] : [])),
  );
}

/** Keeps the read model up to date with streams and ost until it is closed. */
export function startRunIndex(options: RunIndexOptions): RunIndex {
  const { model, store, redis, keys, log } = options;
  const stopping = new AbortController();
  let complete = false;
  let filling: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  const known = async (runIds: readonly string[]) => {
    if (runIds.length === 0) return new Set<string>();
    const replies = await Promise.all(runIds.map((id) => redis.exists(keys.run(id))));
    return new Set(runIds.filter((_, index) => replies[index] === 1));
  };

  const fill = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        await fillFromStore({ store, model, known, log, signal });
        await model.call("complete", undefined);
        complete = true;
        return;
      } catch (error) {
        if (signal.aborted || model.fault()) return;
        log.warn({ err: error }, "could not read all runs from object storage; trying again");
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  const stopFilling = async () => {
    filling?.abort.abort();
    await filling?.done;
    filling = undefined;
  };

  const startFilling = () => {
    const abort = new AbortController();
    filling = { abort, done: fill(AbortSignal.any([abort.signal, stopping.signal])) };
  };

  /** Continues where the file ends if it is of this history and no row has been trimmed since; else ost fills what is missing. */
  const begin = async (history: string): Promise<StreamPositions> => {
    await stopFilling();
    const progress = await model.call("progress", undefined);
    const mine = progress?.history === history ? progress : undefined;
    if (!mine) await model.call("startHistory", history);
    const rowsKept = mine !== undefined && (await keepsAfter(redis, keys.indexRows, mine.rows));
    const eventsKept = mine !== undefined && (await keepsAfter(redis, keys.events, mine.events));
    const position = {
      rows: rowsKept ? mine.rows : firstStreamId,
      events: eventsKept ? mine.events : await oldestKept(redis, keys.events),
    };
    complete = rowsKept && mine.complete;
    if (!complete) startFilling();
    log.info({ history, complete }, "following the event stream");
    options.onBegin(history, position);
    return position;
  };

  const take = async (batch: FeedBatch) => {
    await model.call("apply", { rows: batch.rows, results: earlyResults(batch), position: batch.position });
    options.onBatch(batch);
  };

  const feed = runFeed({ connect: options.connect, keys, log, begin, take }, stopping.signal);

  return {
    complete: () => complete,
    close: async () => {
      stopping.abort();
      await feed;
      await stopFilling();
    },
  };
}
