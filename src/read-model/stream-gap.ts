import { z } from "zod";
import type { RedisConnection } from "../redis/connection.ts";
import { compareStreamIds, firstStreamId, type StreamId, streamIdBefore } from "./stream-id.ts";

const Info = z.object({
  length: z.number(),
  added: z.number(),
  last: z.string(),
  deleted: z.string(),
  first: z.string().optional(),
});

const FirstEntry = z.union([z.null(), z.tuple([z.string()]).rest(z.unknown())]);

function field(flat: readonly unknown[], name: string): unknown {
  return flat[flat.indexOf(name) + 1];
}

/**
 * True if a stream still holds everything after `position`. Trimming leaves no trace of how far it went,
 * so a position older than the oldest entry only counts while nothing was ever trimmed, or nothing was added since.
 */
export async function keepsAfter(redis: RedisConnection, stream: string, position: StreamId): Promise<boolean> {
  if ((await redis.exists(stream)) === 0) return position === firstStreamId;
  const flat = z.array(z.unknown()).parse(await redis.call("XINFO", "STREAM", stream));
  const info = Info.parse({
    length: field(flat, "length"),
    added: field(flat, "entries-added"),
    last: field(flat, "last-generated-id"),
    deleted: field(flat, "max-deleted-entry-id"),
    first: FirstEntry.parse(field(flat, "first-entry"))?.[0],
  });
  if (compareStreamIds(position, info.last) >= 0) return true;
  if (info.added === info.length) return true;
  // Sweeps also delete from the middle: rows of archived runs go, those of runs that go on stay.
  if (compareStreamIds(info.deleted, position) > 0) return false;
  return info.first !== undefined && compareStreamIds(info.first, position) <= 0;
}

/** The position from which on a stream still holds everything. */
export async function oldestKept(redis: RedisConnection, stream: string): Promise<StreamId> {
  if (await keepsAfter(redis, stream, firstStreamId)) return firstStreamId;
  const [first] = z.array(z.tuple([z.string()]).rest(z.unknown())).parse(await redis.xrange(stream, "-", "+", "COUNT", 1));
  if (first) return streamIdBefore(first[0]);
  const info = z.array(z.unknown()).parse(await redis.call("XINFO", "STREAM", stream));
  return z.string().parse(field(info, "last-generated-id"));
}
