import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { meetServer } from "../redis/meet.ts";
import { IndexRow, RunEvent } from "../runs/view.ts";
import type { VersionedRow } from "./apply.ts";
import { compareStreamIds, firstStreamId, type StreamId } from "./stream-id.ts";

/** One entry of the installation's event stream: what one commit made happen. */
export interface EventEntry {
  readonly id: StreamId;
  readonly events: readonly RunEvent[];
}

/** What one read of both streams brought, in the streams' order. */
export interface FeedBatch {
  readonly history: string;
  readonly entries: readonly EventEntry[];
  readonly rows: readonly VersionedRow[];
  readonly position: StreamPositions;
}

export interface StreamPositions {
  readonly rows: StreamId;
  readonly events: StreamId;
}

export interface FeedOptions {
  /** Opens a connection for blocking reads that nobody else uses. */
  readonly connect: () => RedisConnection;
  readonly keys: Keys;
  readonly log: Logger;
  /** Where to begin in a history: at its first call, and whenever Redis has started another one. */
  readonly begin: (history: string) => Promise<StreamPositions>;
  /** Reading goes on once it has resolved: whoever is slow slows the feed, and nothing piles up. */
  readonly take: (batch: FeedBatch) => Promise<void>;
}

const entriesPerRead = 500;
/** A read that finds nothing returns after this long, so that a dead connection and a closed feed are noticed. */
const blockMs = 2_000;
const silenceMs = 10_000;
const retryMs = 500;

const Fields = z.array(z.string());
const Entries = z.array(z.tuple([z.string(), Fields]));
const Reply = z.union([z.null(), z.array(z.tuple([z.string(), Entries]))]);

/** A list that cannot be read is skipped with a warning: one odd row must not stop the list of all others. */
function readLists<Item>(item: z.ZodType<Item>, fields: readonly string[], log: Logger): Item[] {
  return textsOf(fields).flatMap((text) => {
    try {
      return z.array(item).parse(JSON.parse(text));
    } catch (error) {
      log.warn({ err: error }, "skipped an unreadable part of a stream entry");
      return [];
    }
  });
}

/** The values of an entry: JSON lists, one per run for events. */
export function textsOf(fields: readonly string[]): readonly string[] {
  return fields.filter((_, index) => index % 2 === 1);
}

/** A blocking read has no time limit of its own: without an answer long after it should have come, the connection counts as dead. */
async function withWatchdog<T>(redis: RedisConnection, read: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => redis.disconnect(), silenceMs);
  try {
    return await read();
  } finally {
    clearTimeout(timer);
  }
}

/** The founder of the installation has not written `meta` yet. */
class NotFounded extends Error {}

/**
 * Follows `events` and `index:rows` on one connection, from where the read model stands to for ever, until `signal` is aborted.
 * Every connection first asks whether Redis is still the one it was: if it has started another history, so does the feed.
 */
export async function runFeed({ connect, keys, log, begin, take }: FeedOptions, signal: AbortSignal): Promise<void> {
  let history: string | undefined;
  let position: StreamPositions = { rows: firstStreamId, events: firstStreamId };

  const meet = async (redis: RedisConnection) => {
    const installation = await meetServer(redis, keys);
    if (!installation) throw new NotFounded("no installation is founded yet");
    if (installation.history === history) return;
    position = await begin(installation.history);
    history = installation.history;
  };

  const readOnce = async (redis: RedisConnection) => {
    const from = [keys.events, keys.indexRows, position.events, position.rows] as const;
    // A read that had to wait is answered with the first stream that got something: it only wakes, and both are then read at one moment.
    const woken = await withWatchdog(redis, () => redis.xread("COUNT", 1, "BLOCK", blockMs, "STREAMS", ...from));
    if (!woken) return;
    const reply = await withWatchdog(redis, () => redis.xread("COUNT", entriesPerRead, "STREAMS", ...from));
    const streams = new Map(Reply.parse(reply) ?? []);
    const events = streams.get(keys.events) ?? [];
    const rows = streams.get(keys.indexRows) ?? [];
    if (signal.aborted || (events.length === 0 && rows.length === 0)) return;
    // Rows and events of one commit are read together, unless there are more rows than one read takes: then the rows come first,
    // so that whoever has seen a commit's events has its rows too.
    const cutMs = rows.length === entriesPerRead ? rows.at(-1)?.[0].split("-")[0] : undefined;
    const taken = cutMs === undefined ? events : events.filter(([id]) => compareStreamIds(id, `${cutMs}-0`) < 0);
    const next = { rows: rows.at(-1)?.[0] ?? position.rows, events: taken.at(-1)?.[0] ?? position.events };
    await take({
      history: history ?? "",
      entries: taken.map(([id, fields]) => ({ id, events: readLists(RunEvent, fields, log) })),
      rows: rows.flatMap(([version, fields]) => readLists(IndexRow, fields, log).map((row) => ({ row, version }))),
      position: next,
    });
    position = next;
  };

  while (!signal.aborted) {
    const redis = connect();
    const stop = () => redis.disconnect();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await redis.connect();
      await meet(redis);
      while (!signal.aborted) await readOnce(redis);
    } catch (error) {
      if (!signal.aborted) {
        if (!(error instanceof NotFounded)) log.warn({ err: error }, "lost the event stream; connecting again");
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      redis.disconnect();
    }
  }
}
