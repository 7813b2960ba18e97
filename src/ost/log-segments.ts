import { type LogPlace, layout, parseSegmentKey } from "./layout.ts";
import { endOf, type LogBytes } from "./log-chunk.ts";
import { putLog } from "./log-writer.ts";
import type { Store } from "./store.ts";

/** A segment is one piece of memory for its writer: a step that writes faster than this ships several. */
export const maxSegmentBytes = 4 * 1024 * 1024;

export interface SegmentPlace extends LogPlace {
  readonly assignment: string;
}

/** Stores a part of a live log as an object of its own, in the same format as whole logs. Repeating it changes nothing. */
export async function writeSegment(store: Store, place: SegmentPlace, chunks: readonly LogBytes[]): Promise<void> {
  const first = chunks[0];
  const last = chunks.at(-1);
  if (!first || !last) return;
  const range = { from: first.offset, to: endOf(last) };
  const key = layout.segment(place, place.assignment, range);
  await putLog(store, key, { assignment: place.assignment, from: range.from, chunks }, { onlyIfAbsent: true });
}

export interface Segment {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** The segment that holds the byte at `offset`, or the first one after it; undefined if there is none. */
export async function findSegment(store: Store, place: SegmentPlace, offset: number): Promise<Segment | undefined> {
  const page = await store.list({
    prefix: layout.segments(place, place.assignment),
    startAfter: layout.segmentsTo(place, place.assignment, offset),
    limit: 1,
  });
  const key = page.objects[0]?.key;
  return key === undefined ? undefined : { key, ...parseSegmentKey(key) };
}

/** All segments of one assignment's log, in order. */
export async function listSegments(store: Store, place: SegmentPlace): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  const prefix = layout.segments(place, place.assignment);
  for (let startAfter: string | undefined = ""; startAfter !== undefined; ) {
    const page = await store.list({ prefix, ...(startAfter === "" ? {} : { startAfter }) });
    segments.push(...page.objects.map(({ key }) => ({ key, ...parseSegmentKey(key) })));
    startAfter = page.next;
  }
  return segments;
}

/** Deletes an assignment's segments, once the whole log is stored. */
export async function deleteSegments(store: Store, place: SegmentPlace): Promise<void> {
  const segments = await listSegments(store, place);
  if (segments.length > 0) await store.delete(segments.map((segment) => segment.key));
}
