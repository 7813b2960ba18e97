import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { finishLog, type LogOutlets } from "../ost/finish-log.ts";
import type { LogBytes } from "../ost/log-chunk.ts";
import { maxSegmentBytes, type SegmentPlace, writeSegment } from "../ost/log-segments.ts";
import { appendTail, maxAppendBytes, tailBytes } from "../ost/log-tail.ts";
import { removeLogMark, writeLogMark } from "./leftover-logs.ts";
import { type LogSpool, openLogSpool, withLoss } from "./log-spool.ts";
import type { Masker } from "./masking.ts";

/** A quick step is over before anything of its log is worth shipping. */
const shipEveryMs = 300;
const maxShipPauseMs = 10_000;
const finishBackoffMs = 500;
/** Beyond this the end of an attempt does not wait for ost; the log follows later, and the archiver waits for it. */
const finishWithinMs = 30_000;

/** The log of one step, or of the setup: bytes go in as they come, masked, spooled and shipped; at the end it is one object. */
export interface StepLog {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** A line of the executor's own. */
  readonly line: (text: string) => Promise<void>;
  /** Bytes of text so far. */
  readonly size: () => number;
  /** Stores the log. `complete` is false if ost did not take it in time, or bytes were lost on the way. */
  readonly finish: () => Promise<{ readonly size: number; readonly complete: boolean }>;
  /** Leaves everything as it is, for another process to go on with. */
  readonly abandon: () => Promise<void>;
}

export interface StepLogOptions {
  readonly outlets: LogOutlets;
  readonly place: SegmentPlace;
  /** The spool's file; a log that a predecessor began goes on where it ended. */
  readonly spoolPath: string;
  readonly resumed: boolean;
  readonly masker: Masker;
  /** Redis's clock (ms). */
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Opens a step's log. A resumed one is given the step's output from its begin again: what was spooled before is skipped,
 * since masking the same bytes gives the same text however they are cut.
 */
export async function openStepLog(options: StepLogOptions): Promise<StepLog> {
  const { masker, now, log, place } = options;
  const spool = await openLogSpool(options.spoolPath, options.resumed);
  let toSkip = spool.size();
  let lost: string | undefined;
  let shipping: Shipping | undefined;

  const add = async (masked: Uint8Array) => {
    const skipped = Math.min(toSkip, masked.length);
    toSkip -= skipped;
    if (skipped === masked.length || lost !== undefined) return;
    try {
      if (spool.size() === 0) await writeLogMark(options.spoolPath, { place, whole: false });
      await spool.append(masked.subarray(skipped), now());
      shipping ??= ship(options, spool);
    } catch (err) {
      lost = "disk_full";
      log.error({ err, assignment: place.assignment, step: place.step }, "a log could not be spooled; the rest of it is lost");
    }
  };

  const store = async () => {
    await shipping?.stop();
    const chunks = withLoss(spool.read(0), lost === undefined ? undefined : { from: spool.size(), why: lost });
    const { complete } = await finishLog(options.outlets, { place, chunks, shipped: options.resumed || shipping?.hasShipped() === true });
    await spool.close();
    await spool.remove();
    await removeLogMark(options.spoolPath);
    return { size: spool.size(), complete };
  };

  return {
    write: (bytes) => add(masker.push(bytes)),
    line: (text) => add(masker.push(Buffer.from(`${text}\n`))),
    size: spool.size,
    finish: async () => {
      await add(masker.flush());
      if (spool.size() === 0 && lost === undefined) return { size: 0, complete: true };
      const giveUpAt = performance.now() + finishWithinMs;
      for (;;) {
        try {
          return await store();
        } catch (err) {
          log.warn({ err, assignment: place.assignment, step: place.step }, "a log could not be stored");
          if (performance.now() >= giveUpAt) break;
          await delay(finishBackoffMs);
        }
      }
      await writeLogMark(options.spoolPath, { place, whole: lost === undefined }).catch(() => {});
      await spool.close();
      return { size: spool.size(), complete: false };
    },
    abandon: async () => {
      await shipping?.stop();
      await spool.close();
    },
  };
}

interface Shipping {
  /** Resolves once nothing is under way any more. */
  readonly stop: () => Promise<void>;
  readonly hasShipped: () => boolean;
}

/** Ships what is spooled while the step runs: small amounts to the tail in Redis, large ones as segments to ost. */
function ship({ outlets, place, log }: StepLogOptions, spool: LogSpool): Shipping {
  const { store, redis, keys } = outlets;
  const over = new AbortController();
  let shippedTo = 0;
  let segmentedTo = 0;
  let hasShipped = false;

  const segment = async (to: number) => {
    while (segmentedTo < to) {
      const chunks: LogBytes[] = [];
      let size = 0;
      for await (const chunk of spool.read(segmentedTo)) {
        if (chunk.offset >= to || size >= maxSegmentBytes) break;
        const bytes = chunk.bytes.subarray(0, to - chunk.offset);
        chunks.push({ ...chunk, bytes });
        size += bytes.length;
      }
      if (size === 0) return;
      await writeSegment(store, place, chunks);
      segmentedTo += size;
    }
  };

  const shipOnce = async () => {
    const end = spool.size();
    if (end === shippedTo) return;
    hasShipped = true;
    if (end - segmentedTo > tailBytes) await segment(end);
    for await (const { offset, at, bytes } of spool.read(Math.max(shippedTo, end - tailBytes), maxAppendBytes)) {
      if (offset >= end) break;
      await appendTail(redis, keys, { assignment: place.assignment, step: place.step, offset, at, bytes, segmentedTo });
      shippedTo = offset + bytes.length;
    }
  };

  const loop = async () => {
    for (let pauseMs = shipEveryMs; ; ) {
      await delay(pauseMs, undefined, { signal: over.signal }).catch(() => {});
      if (over.signal.aborted) return;
      try {
        await shipOnce();
        pauseMs = shipEveryMs;
      } catch (err) {
        pauseMs = Math.min(pauseMs * 2, maxShipPauseMs);
        log.warn({ err, assignment: place.assignment, step: place.step, pauseMs }, "a log could not be shipped yet");
      }
    }
  };

  const running = loop();
  return {
    stop: async () => {
      over.abort();
      await running;
    },
    hasShipped: () => hasShipped,
  };
}
