import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { LogOutlets } from "./finish-log.ts";
import { type LogPlace, layout, segmentName } from "./layout.ts";
import { endOf, type LogBytes, type LogChunk } from "./log-chunk.ts";
import { openLog } from "./log-object.ts";
import { listSegments, type SegmentPlace } from "./log-segments.ts";
import { readTail } from "./log-tail.ts";
import type { Store } from "./store.ts";

/** Everything that was shipped of a log, with exact times: its segments, then its tail. A hole between them is a gap. */
export async function* shippedChunks({ store, redis, keys }: LogOutlets, place: SegmentPlace): AsyncGenerator<LogChunk> {
  let at = 0;
  for (const segment of await listSegments(store, place)) {
    if (segment.to <= at) continue;
    if (segment.from > at) yield { type: "gap", from: at, to: segment.from, why: "not_shipped" };
    const object = await openLog(store, segment.key);
    if (!object) throw new Error(`the log segment ${segment.key} went away while it was read`);
    yield* object.chunks({ from: at }, { times: true });
    at = segment.to;
  }
  const tail = await readTail(redis, keys, place, at);
  for (const chunk of tail.chunks) {
    if (endOf(chunk) <= at) continue;
    if (chunk.offset > at) yield { type: "gap", from: at, to: chunk.offset, why: "not_shipped" };
    yield cutBefore(chunk, at);
    at = endOf(chunk);
  }
}

/** What of the chunk is at or after `from`. */
export function cutBefore(chunk: LogBytes, from: number): LogBytes {
  return chunk.offset >= from ? chunk : { ...chunk, offset: from, bytes: chunk.bytes.subarray(from - chunk.offset) };
}

/** Assignments that left segments of this log. */
export async function assignmentsWithSegments(store: Store, place: LogPlace): Promise<readonly string[]> {
  const { prefixes } = await store.list({ prefix: layout.liveFolder(place), delimiter: "/" });
  return prefixes.flatMap((prefix) => segmentName(prefix.slice(layout.liveFolder(place).length, -1)) ?? []);
}

/** Assignments of an attempt (`<runId>-<task index>-<attempt>-`) that have live tails, with their steps. */
export async function tailsOfAttempt(
  redis: RedisConnection,
  keys: Keys,
  attemptPrefix: string,
): Promise<readonly { assignment: string; step: string }[]> {
  const members = await redis.zrange(keys.logTails, "0", "-1");
  return members.flatMap((member) => {
    if (!member.startsWith(attemptPrefix)) return [];
    const colon = member.indexOf(":");
    return [{ assignment: member.slice(0, colon), step: member.slice(colon + 1) }];
  });
}
