import { parseAssignmentId } from "../ids.ts";
import type { LogOutlets } from "../ost/finish-log.ts";
import { endOf, type LogBytes } from "../ost/log-chunk.ts";
import { listSegments, type SegmentPlace, writeSegment } from "../ost/log-segments.ts";
import { readTail, type TailPlace } from "../ost/log-tail.ts";
import { cutBefore } from "../ost/shipped-log.ts";
import { dropTail } from "../redis/scripts/drop-tail.ts";
import { readLiveRun } from "./live-run.ts";

/** Tails that have not grown for so long: of steps that are silent, or whose executor was lost. */
const idleMs = 3_600_000;
const tailsPerSweep = 1_000;

/**
 * Moves what idle tails hold into segments, so that Redis keeps no log for longer than an hour and none expires unseen.
 * Idempotent: a tail goes only once a segment holds all of it. Answers how many went.
 */
export async function rescueTails(outlets: LogOutlets, now: number): Promise<number> {
  const { redis, keys } = outlets;
  const idle = await redis.zrangebyscore(keys.logTails, "-inf", now - idleMs, "LIMIT", 0, tailsPerSweep);
  let gone = 0;
  for (const member of idle) {
    const colon = member.indexOf(":");
    const tail = { assignment: member.slice(0, colon), step: member.slice(colon + 1) };
    if (await rescueTail(outlets, tail)) gone += 1;
  }
  return gone;
}

async function rescueTail(outlets: LogOutlets, tail: TailPlace): Promise<boolean> {
  const { redis, keys, store } = outlets;
  const { chunks } = await readTail(redis, keys, tail, 0);
  const last = chunks.at(-1);
  const place = last && (await findPlace(outlets, tail));
  if (place) {
    const heldTo = (await listSegments(store, place)).at(-1)?.to ?? 0;
    const rest = chunks.filter((chunk) => endOf(chunk) > heldTo).map((chunk) => cutBefore(chunk, heldTo));
    for (const run of contiguous(rest)) await writeSegment(store, place, run);
  }
  return dropTail(redis, keys, { ...tail, lastId: last && `${endOf(last)}-0` });
}

/** Undefined once the run is archived or gone: its logs are complete then, and nobody needs the tail. */
async function findPlace({ redis, keys }: LogOutlets, { assignment, step }: TailPlace): Promise<SegmentPlace | undefined> {
  const parts = parseAssignmentId(assignment);
  if (!parts) return undefined;
  const live = await readLiveRun(redis, keys, parts.runId);
  const task = live.type === "live" ? live.run.graph.tasks[parts.task]?.name : undefined;
  return task === undefined ? undefined : { runId: parts.runId, task, attempt: parts.attempt, step, assignment };
}

/** A segment has no hole in it. */
function contiguous(chunks: readonly LogBytes[]): LogBytes[][] {
  const runs: LogBytes[][] = [];
  for (const chunk of chunks) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run && before && endOf(before) === chunk.offset) run.push(chunk);
    else runs.push([chunk]);
  }
  return runs;
}
