import type { LogOutlets } from "./finish-log.ts";
import { endOf, type LogChunk } from "./log-chunk.ts";
import { sizeOfLog, tailStartOfLog } from "./log-extent.ts";
import { type FollowOptions, followLog } from "./log-follow.ts";
import type { LogItem, LogSubject } from "./log-subject.ts";
import type { LogEnd } from "./log-tail.ts";
import { findAssignment, findObject, type Reached, shippedFrom } from "./shipped-from.ts";
import type { AwaitTail } from "./tail-watch.ts";

export interface ReadRange {
  readonly from: number;
  /** Exclusive; default: what is there. */
  readonly to?: number;
  /** Whether chunks shall tell when their bytes came; for archived logs that costs a little more. */
  readonly times?: boolean;
}

/** Reads a log by addresses, wherever its bytes are: live tail, segments, or the object it became. */
export interface LogReader {
  /** What is there now of a range. Throws `log_deleted`. */
  readonly read: (subject: LogSubject, range: ReadRange) => AsyncGenerator<LogChunk>;
  /** As `read`, then whatever comes, up to `end`. Gaps are items of their own; ends with an error when aborted. */
  readonly follow: (subject: LogSubject, options: FollowOptions) => AsyncGenerator<LogItem>;
  /** The address after the last byte that is there now, and the end if the log has one. */
  readonly size: (subject: LogSubject) => Promise<{ readonly size: number; readonly end: LogEnd | undefined }>;
  /** Where the last `lines` lines begin. */
  readonly tailStart: (subject: LogSubject, lines: number) => Promise<number>;
}

export function createLogReader(outlets: LogOutlets & { readonly awaitTail: AwaitTail }): LogReader {
  return {
    read: (subject, range) => readNow(outlets, subject, range),
    follow: (subject, options) => followLog(outlets, subject, options),
    size: (subject) => sizeOfLog(outlets, subject),
    tailStart: (subject, lines) => tailStartOfLog(outlets, subject, lines),
  };
}

async function* readNow(
  outlets: LogOutlets,
  subject: LogSubject,
  { from, to = Number.POSITIVE_INFINITY, times = false }: ReadRange,
): AsyncGenerator<LogChunk> {
  let at = from;
  for (;;) {
    const object = await findObject(outlets, subject);
    if (object) {
      yield* object.chunks({ from: at, to }, { times });
      return;
    }
    const assignment = await findAssignment(outlets, subject, await subject.state());
    if (assignment === undefined) return;
    const reached = yield* cutAt(shippedFrom(outlets, { ...subject, assignment }, { from: at, times }), to);
    if (!reached?.isMoved) return;
    at = reached.at;
  }
}

/** Hands on what is before `to`; undefined as result if that is reached. */
async function* cutAt(chunks: AsyncGenerator<LogChunk, Reached>, to: number): AsyncGenerator<LogChunk, Reached | undefined> {
  for (let next = await chunks.next(); ; next = await chunks.next()) {
    if (next.done) return next.value;
    const chunk = next.value;
    const begin = chunk.type === "bytes" ? chunk.offset : chunk.from;
    if (begin >= to) break;
    if (chunk.type === "bytes") yield { ...chunk, bytes: chunk.bytes.subarray(0, to - begin) };
    else yield chunk.to === null ? chunk : { ...chunk, to: Math.min(chunk.to, to) };
    if (endOf(chunk) >= to) break;
  }
  await chunks.return({ at: to, end: undefined, isMoved: false });
  return undefined;
}
