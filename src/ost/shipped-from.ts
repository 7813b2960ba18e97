import { OstlerError } from "../errors.ts";
import type { LogOutlets } from "./finish-log.ts";
import { type LogPlace, layout } from "./layout.ts";
import { endOf, type LogChunk } from "./log-chunk.ts";
import { type LogObject, openLog } from "./log-object.ts";
import { findSegment } from "./log-segments.ts";
import type { LogState } from "./log-subject.ts";
import { type LogEnd, readTail, type TailPlace } from "./log-tail.ts";
import { assignmentsWithSegments, cutBefore, tailsOfAttempt } from "./shipped-log.ts";

export type Place = LogPlace & TailPlace;

/** The log's one object, once it has become one. Throws if the log was deleted: the mark is there before any object goes. */
export async function findObject({ store }: LogOutlets, place: LogPlace): Promise<LogObject | undefined> {
  if (await store.stat(layout.logsDeleted(place))) {
    throw new OstlerError("log_deleted", `the logs of attempt ${place.attempt} of task ${place.task} were deleted`);
  }
  return openLog(store, layout.log(place));
}

/** The assignment whose tail and segments hold a log that is no object; undefined if there are neither. */
export async function findAssignment({ store, redis, keys }: LogOutlets, place: LogPlace, state: LogState): Promise<string | undefined> {
  if (state.type === "live") return state.assignment;
  const segmented = await assignmentsWithSegments(store, place);
  if (segmented.length > 0) return segmented.at(-1);
  if (state.type === "waiting" || state.attemptPrefix === undefined) return undefined;
  return (await tailsOfAttempt(redis, keys, state.attemptPrefix)).find(({ step }) => step === place.step)?.assignment;
}

export interface Reached {
  /** The address after what was read. */
  readonly at: number;
  readonly end: LogEnd | undefined;
  /** Tail or segments gave way to the object: read on there. */
  readonly isMoved: boolean;
}

/** What was shipped from `from` on, as far as it is there now. */
export async function* shippedFrom(
  outlets: LogOutlets,
  place: Place,
  { from, times }: { from: number; times: boolean },
): AsyncGenerator<LogChunk, Reached> {
  const { store, redis, keys } = outlets;
  let at = from;
  for (;;) {
    const tail = await readTail(redis, keys, place, at);
    const first = tail.chunks[0];
    if (first && first.offset <= at) {
      for (const chunk of tail.chunks) {
        if (chunk.offset > at) break;
        yield cutBefore(chunk, at);
        at = endOf(chunk);
      }
      return { at, end: tail.end, isMoved: tail.end !== undefined && at < tail.end.size };
    }
    if (tail.end) return { at, end: tail.end, isMoved: at < tail.end.size };
    const segment = await findSegment(store, place, at);
    if (segment && segment.from <= at) {
      const object = await openLog(store, segment.key);
      if (!object) return { at, end: undefined, isMoved: true };
      yield* object.chunks({ from: at }, { times });
      at = segment.to;
      continue;
    }
    const next = Math.min(first?.offset ?? Number.POSITIVE_INFINITY, segment?.from ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(next)) return { at, end: undefined, isMoved: false };
    // Segments are there before the tail loses what they hold: a hole means that the object has replaced both, or a real loss.
    if (await openLog(store, layout.log(place))) return { at, end: undefined, isMoved: true };
    yield { type: "gap", from: at, to: next, why: "not_shipped" };
    at = next;
  }
}
