import type { LogOutlets } from "./finish-log.ts";
import { endOf } from "./log-chunk.ts";
import { openLog } from "./log-object.ts";
import { listSegments } from "./log-segments.ts";
import type { LogSubject } from "./log-subject.ts";
import { type LogEnd, readTail } from "./log-tail.ts";
import { findAssignment, findObject, type Place } from "./shipped-from.ts";

const noLog: LogEnd = { size: 0, sha256: null, complete: true };

/** The address after the last byte that is there now, and the end if the log has one. */
export async function sizeOfLog(outlets: LogOutlets, subject: LogSubject): Promise<{ size: number; end: LogEnd | undefined }> {
  const object = await findObject(outlets, subject);
  if (object) {
    const { size, sha256, complete } = object.index;
    return { size, end: { size, sha256, complete } };
  }
  const state = await subject.state();
  const assignment = await findAssignment(outlets, subject, state);
  if (assignment === undefined) return { size: 0, end: state.type === "ended" && state.complete ? noLog : undefined };
  const place = { ...subject, assignment };
  const { chunks, end } = await readTail(outlets.redis, outlets.keys, place, 0);
  const last = chunks.at(-1);
  if (end || last) return { size: end?.size ?? (last ? endOf(last) : 0), end };
  return { size: (await listSegments(outlets.store, place)).at(-1)?.to ?? 0, end: undefined };
}

/** Where the last `lines` lines of a log begin, as it is now. */
export async function tailStartOfLog(outlets: LogOutlets, subject: LogSubject, lines: number): Promise<number> {
  const object = await findObject(outlets, subject);
  if (object) return object.tailStart(lines);
  const assignment = await findAssignment(outlets, subject, await subject.state());
  if (assignment === undefined) return 0;
  let open: number | undefined;
  let begin = 0;
  for await (const { offset, bytes } of shippedBackwards(outlets, { ...subject, assignment })) {
    // A newline at the very end closes the last line, it does not begin another.
    open ??= bytes.at(-1) === newline ? lines + 1 : lines;
    for (let i = bytes.lastIndexOf(newline); i !== -1; i = i === 0 ? -1 : bytes.lastIndexOf(newline, i - 1)) {
      open -= 1;
      if (open === 0) return offset + i + 1;
    }
    begin = offset;
  }
  return begin;
}

const newline = 0x0a;

/** What is there of a live log, from its end to its begin. */
async function* shippedBackwards(outlets: LogOutlets, place: Place): AsyncGenerator<{ offset: number; bytes: Uint8Array }> {
  const { chunks } = await readTail(outlets.redis, outlets.keys, place, 0);
  yield* chunks.toReversed();
  let at = chunks[0]?.offset ?? Number.POSITIVE_INFINITY;
  for (const segment of (await listSegments(outlets.store, place)).toReversed()) {
    if (segment.from >= at) continue;
    const object = await openLog(outlets.store, segment.key);
    const pieces: { offset: number; bytes: Uint8Array }[] = [];
    for await (const chunk of object?.chunks({ from: 0, to: at }) ?? []) if (chunk.type === "bytes") pieces.push(chunk);
    yield* pieces.toReversed();
    at = segment.from;
  }
}
