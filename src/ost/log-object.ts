import type { LogChunk, LogGap } from "./log-chunk.ts";
import { decodeTimes, decodeTrailer, decompress, LogIndex, magic, suffixBytes, type TimeRun, trailerBytes } from "./log-format.ts";
import type { ByteRange, Store } from "./store.ts";

/** A log object that was opened: its index is in memory, its text is read as asked for. */
export interface LogObject {
  readonly index: LogIndex;
  /** Text and gaps from address `from` to `to` (exclusive, default the end), in pieces of at most one block. With `times`, a piece per time. */
  readonly chunks: (range: { readonly from: number; readonly to?: number }, options?: ReadOptions) => AsyncGenerator<LogChunk>;
  /** The address where the last `count` lines begin. */
  readonly tailStart: (count: number) => Promise<number>;
}

export interface ReadOptions {
  /** Whether pieces shall tell their exact times; without, `at` is 0. */
  readonly times?: boolean;
}

/** Blocks fetched by one request: fewer requests for whole logs, at most 2 MiB of text in memory. */
const blocksPerRequest = 8;

interface Located {
  readonly from: number;
  readonly to: number;
  readonly newlines: number;
  readonly frame: ByteRange & { readonly end: number };
  readonly times: ByteRange & { readonly end: number };
}

/** Opens the log at `key` with one request from the object's end (two for very long logs); undefined if there is none. */
export async function openLog(store: Store, key: string): Promise<LogObject | undefined> {
  const suffix = await store.get(key, { start: -suffixBytes });
  if (!suffix) return undefined;
  const end = Buffer.from(suffix.buffer, suffix.byteOffset, suffix.byteLength);
  const lengths = decodeTrailer(end);
  const indexLength = lengths.index + trailerBytes;
  const tail = indexLength <= end.length ? end : await getExactly(store, key, { start: -indexLength });
  const frame = tail.subarray(tail.length - indexLength, tail.length - trailerBytes);
  const index = LogIndex.parse(JSON.parse((await decompress(frame)).toString("utf8")));
  const blocks = locate(index);
  const size = (blocks.at(-1)?.times.end ?? magic.length) + indexLength;
  const source: Source = { store, key, end: { at: size - end.length, bytes: end } };
  return {
    index,
    chunks: (range, options) => readChunks({ source, index, blocks }, range, options),
    tailStart: (count) => findTailStart({ source, index, blocks }, count),
  };
}

interface Source {
  readonly store: Store;
  readonly key: string;
  /** What the first request brought: in a small log, everything. */
  readonly end: { readonly at: number; readonly bytes: Buffer };
}

interface Opened {
  readonly source: Source;
  readonly index: LogIndex;
  readonly blocks: readonly Located[];
}

async function getExactly(store: Store, key: string, range: ByteRange): Promise<Buffer> {
  const bytes = await store.get(key, range);
  if (!bytes) throw new Error(`the log ${key} is gone while it is read`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function fetchRange({ store, key, end }: Source, range: { readonly start: number; readonly end: number }): Promise<Buffer> {
  if (range.start >= end.at) return end.bytes.subarray(range.start - end.at, range.end - end.at);
  return getExactly(store, key, range);
}

function locate(index: LogIndex): Located[] {
  let frameAt = magic.length;
  let timesAt = index.blocks.reduce((sum, [, , , frame]) => sum + frame, frameAt);
  return index.blocks.map(([from, bytes, newlines, frame, times]) => {
    const block = {
      from,
      to: from + bytes,
      newlines,
      frame: { start: frameAt, end: frameAt + frame },
      times: { start: timesAt, end: timesAt + times },
    };
    frameAt += frame;
    timesAt += times;
    return block;
  });
}

async function* readChunks(
  { source, index, blocks }: Opened,
  range: { readonly from: number; readonly to?: number },
  options: ReadOptions = {},
): AsyncGenerator<LogChunk> {
  const from = Math.max(range.from, index.from);
  const to = Math.min(range.to ?? index.size, index.size);
  const wanted = blocks.filter((block) => block.from < to && block.to > from);
  const gaps = index.gaps.filter((gap) => concerns(gap, { from, to, isEnd: to === index.size }));
  let nextGap = 0;
  for (let i = 0; i < wanted.length; i += blocksPerRequest) {
    const group = wanted.slice(i, i + blocksPerRequest);
    const texts = await fetchParts(source, group, (block) => block.frame);
    const times = options.times ? await fetchParts(source, group, (block) => block.times) : undefined;
    for (const block of group) {
      for (let gap = gaps[nextGap]; gap && gap.from <= block.from; gap = gaps[++nextGap]) yield clip(gap, { from, to });
      const text = await decompress(texts(block));
      const runs = times ? decodeTimes(await decompress(times(block))) : [{ bytes: text.length, at: 0 }];
      yield* pieces({ block, text, runs }, { from, to });
    }
  }
  for (const gap of gaps.slice(nextGap)) yield clip(gap, { from, to });
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** A gap of unknown length has no address of its own: it concerns whoever reads the byte before which it lies, or the end. */
function concerns(gap: Omit<LogGap, "type">, { from, to, isEnd }: Span & { readonly isEnd: boolean }): boolean {
  if (gap.to === null) return gap.from >= from && (gap.from < to || isEnd);
  return gap.from < to && gap.to > from;
}

function clip(gap: Omit<LogGap, "type">, { from, to }: Span): LogGap {
  if (gap.to === null) return { type: "gap", ...gap };
  return { type: "gap", from: Math.max(gap.from, from), to: Math.min(gap.to, to), why: gap.why };
}

/** Fetches neighbouring blocks (or their times) at once, and hands out each one's part. */
async function fetchParts(
  source: Source,
  group: readonly Located[],
  part: (block: Located) => { readonly start: number; readonly end: number },
) {
  const [first, last] = [group[0], group.at(-1)];
  if (!first || !last) throw new Error("no block to fetch");
  const start = part(first).start;
  const fetched = await fetchRange(source, { start, end: part(last).end });
  return (block: Located) => fetched.subarray(part(block).start - start, part(block).end - start);
}

interface Text {
  readonly block: Located;
  readonly text: Buffer;
  readonly runs: readonly TimeRun[];
}

function* pieces({ block, text, runs }: Text, { from, to }: Span): Generator<LogChunk> {
  let at = block.from;
  for (const run of runs) {
    const begin = Math.max(at, from);
    const end = Math.min(at + run.bytes, to);
    if (begin < end) yield { type: "bytes", offset: begin, at: run.at, bytes: text.subarray(begin - block.from, end - block.from) };
    at += run.bytes;
  }
}

async function findTailStart({ source, index, blocks }: Opened, count: number): Promise<number> {
  let toSkip = index.lines - count;
  if (toSkip <= 0) return index.from;
  for (const block of blocks) {
    if (toSkip > block.newlines) {
      toSkip -= block.newlines;
      continue;
    }
    const frame = await fetchRange(source, block.frame);
    return block.from + afterNewline(await decompress(frame), toSkip);
  }
  return index.size;
}

/** The offset after the `count`-th newline. */
function afterNewline(text: Uint8Array, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) at = text.indexOf(0x0a, at) + 1;
  return at;
}
