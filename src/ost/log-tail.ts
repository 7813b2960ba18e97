import { z } from "zod";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { appendTailScript } from "../redis/scripts/append-tail.ts";
import type { LogBytes } from "./log-chunk.ts";

/**
 * The live tail of a step's log: stream `log:<assignment>:<step>`, entries `{ o: address, t: ms, b: bytes }`, each under the
 * id `<address after it>-0`. Only bytes that a segment in ost holds are trimmed, so what was appended is never lost with
 * its executor. The writer's rules: append in order, at most `maxAppendBytes` at once; write a segment before more than
 * `tailBytes` are held by the tail alone (a step that writes a lot: the segment instead of the tail).
 */
export interface TailPlace {
  readonly assignment: string;
  readonly step: string;
}

/** What a tail keeps of bytes that segments hold: enough for a follower to catch up without ost. */
export const tailBytes = 64 * 1024;
export const maxAppendBytes = 16 * 1024;
/** Of all tails together; with more than a thousand of them each keeps less. */
const budgetBytes = 64 * 1024 * 1024;
/** A tail that nobody ended is moved into a segment by a sweep long before. */
const ttlMs = 7 * 24 * 3_600_000;
/** For followers that are a little behind: after it the object tells the end. */
const closedTtlMs = 60_000;

/** How a log ended: `size` is the address after its last byte, `sha256` null for a log without a byte. */
export const LogEnd = z.object({ size: z.number(), sha256: z.string().nullable(), complete: z.boolean() });
export type LogEnd = z.infer<typeof LogEnd>;

/** What a tail holds from an address on. It may begin later than asked for: segments hold what is before. */
export interface TailView {
  readonly chunks: readonly LogBytes[];
  readonly end: LogEnd | undefined;
}

export interface Append extends TailPlace {
  readonly offset: number;
  /** When the bytes were read from the step (ms). */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Segments hold everything below this address. */
  readonly segmentedTo: number;
}

/** Ships bytes to the live tail. Idempotent: false if the tail had them already. */
export async function appendTail(redis: RedisConnection, keys: Keys, append: Append): Promise<boolean> {
  if (append.bytes.length === 0) return false;
  if (append.bytes.length > maxAppendBytes) throw new Error(`at most ${maxAppendBytes} bytes can be appended at once`);
  return appendTailScript(redis, keys, { ...append, keepBytes: tailBytes, budgetBytes, ttlMs });
}

/** Marks the end for followers; only after the log's object is in ost. Idempotent. */
export async function closeTail(redis: RedisConnection, keys: Keys, place: TailPlace & { readonly end: LogEnd }): Promise<void> {
  const key = keys.log(place.assignment, place.step);
  const results = await redis
    .multi()
    .xadd(key, `${place.end.size}-1`, "e", JSON.stringify(place.end))
    .pexpire(key, closedTtlMs)
    .zrem(keys.logTails, `${place.assignment}:${place.step}`)
    .exec();
  const fault = results?.[0]?.[0];
  if (fault && !fault.message.includes("equal or smaller")) throw fault;
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

function parseEntries(entries: readonly Entry[]): TailView {
  const chunks: LogBytes[] = [];
  let end: LogEnd | undefined;
  for (const [, fields] of entries) {
    const record = new Map<string, Buffer>();
    for (let i = 0; i + 1 < fields.length; i += 2) record.set(String(fields[i]), fields[i + 1] ?? Buffer.alloc(0));
    const ended = record.get("e");
    if (ended) end = LogEnd.parse(JSON.parse(ended.toString("utf8")));
    else
      chunks.push({
        type: "bytes",
        offset: Number(record.get("o")),
        at: Number(record.get("t")),
        bytes: record.get("b") ?? Buffer.alloc(0),
      });
  }
  return { chunks, end };
}

/** What the tail holds of the bytes from `from` on; the first chunk may begin before. */
export async function readTail(redis: RedisConnection, keys: Keys, place: TailPlace, from: number): Promise<TailView> {
  return parseEntries(await redis.xrangeBuffer(keys.log(place.assignment, place.step), `(${from}-0`, "+"));
}
