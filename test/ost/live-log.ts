import type { LogOutlets } from "../../src/ost/finish-log.ts";
import { finishLog } from "../../src/ost/finish-log.ts";
import type { LogBytes } from "../../src/ost/log-chunk.ts";
import { writeSegment } from "../../src/ost/log-segments.ts";
import type { LogState, LogSubject } from "../../src/ost/log-subject.ts";
import { appendTail, maxAppendBytes } from "../../src/ost/log-tail.ts";

/** A step's log as its executor writes it, one action at a time. */
export function createLiveLog(outlets: LogOutlets, name: string) {
  const attemptPrefix = `${name}-0-1-`;
  const place = { runId: name, task: "build", attempt: 1, step: "0", assignment: `${attemptPrefix}s` };
  const spool: LogBytes[] = [];
  let size = 0;
  let shippedTo = 0;
  let segmentedTo = 0;
  let state: LogState = { type: "waiting" };

  const rest = (from: number) =>
    spool.flatMap((chunk): LogBytes[] => {
      const skip = Math.max(0, from - chunk.offset);
      return skip >= chunk.bytes.length ? [] : [{ ...chunk, offset: chunk.offset + skip, bytes: chunk.bytes.subarray(skip) }];
    });

  const subject: LogSubject = { ...place, state: async () => state };
  return {
    place,
    subject,
    text: () => Buffer.concat(spool.map((chunk) => chunk.bytes)),
    begin: () => {
      state = { type: "live", assignment: place.assignment };
    },
    write: (bytes: Uint8Array, at: number) => {
      spool.push({ type: "bytes", offset: size, at, bytes });
      size += bytes.length;
    },
    ship: async () => {
      for (const chunk of rest(shippedTo)) {
        for (let i = 0; i < chunk.bytes.length; i += maxAppendBytes) {
          const bytes = chunk.bytes.subarray(i, i + maxAppendBytes);
          await appendTail(outlets.redis, outlets.keys, { ...place, offset: chunk.offset + i, at: chunk.at, bytes, segmentedTo });
        }
      }
      shippedTo = size;
    },
    segment: async () => {
      await writeSegment(outlets.store, place, rest(segmentedTo));
      segmentedTo = size;
    },
    /** The executor stores the log, then reports the step's end. */
    finish: async () => {
      await finishLog(outlets, { place, chunks: spool, shipped: true });
      state = { type: "ended", complete: true, lost: false, attemptPrefix };
    },
    lose: () => {
      state = { type: "ended", complete: false, lost: true, attemptPrefix };
    },
  };
}
