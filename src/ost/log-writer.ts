import { createHash } from "node:crypto";
import type { LogBytes, LogChunk, LogGap } from "./log-chunk.ts";
import { blockBytes, compress, encodeTimes, encodeTrailer, LogIndex, magic, type TimeRun } from "./log-format.ts";
import type { Store } from "./store.ts";

/** What is written: the parts of a log in order. `from` is the address where they begin, 0 for a whole log. */
export interface LogText {
  readonly assignment: string;
  readonly from?: number;
  readonly chunks: AsyncIterable<LogChunk> | Iterable<LogChunk>;
}

const newline = 0x0a;

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}

/** Gathers text into blocks; holds one block of text, and the compressed times of all. */
function createBlocks(from: number) {
  const hash = createHash("sha256");
  const blocks: LogIndex["blocks"] = [];
  const times: Buffer[] = [];
  const gaps: Omit<LogGap, "type">[] = [];
  let parts: Uint8Array[] = [];
  let runs: TimeRun[] = [];
  let pending = 0;
  let begin = from;
  let size = from;
  let begunAt: number | undefined;
  let newlines = 0;
  let lastByte: number | undefined;

  /** The frame of the block that was gathered; undefined if it has no byte. */
  const close = async (): Promise<Buffer | undefined> => {
    if (pending === 0) return undefined;
    const text = Buffer.concat(parts, pending);
    const [frame, timesFrame] = await Promise.all([compress(text), compress(encodeTimes(runs))]);
    const lines = countNewlines(text);
    blocks.push([begin, pending, lines, frame.length, timesFrame.length]);
    times.push(timesFrame);
    newlines += lines;
    lastByte = text.at(-1);
    parts = [];
    runs = [];
    pending = 0;
    begin = size;
    return frame;
  };

  return {
    close,
    isFull: () => pending >= blockBytes,
    room: () => blockBytes - pending,
    add: (chunk: LogBytes) => {
      hash.update(chunk.bytes);
      begunAt ??= chunk.at;
      parts.push(chunk.bytes);
      pending += chunk.bytes.length;
      size += chunk.bytes.length;
      const last = runs.at(-1);
      if (last?.at === chunk.at) runs[runs.length - 1] = { at: last.at, bytes: last.bytes + chunk.bytes.length };
      else runs.push({ bytes: chunk.bytes.length, at: chunk.at });
    },
    /** Only after `close`: no block reaches across a gap. */
    addGap: ({ from: gapFrom, to, why }: LogGap) => {
      gaps.push({ from: gapFrom, to, why });
      size = to ?? gapFrom;
      begin = size;
    },
    size: () => size,
    finish: (assignment: string) => {
      const index: LogIndex = {
        version: 1,
        assignment,
        begunAt: begunAt ?? 0,
        from,
        size,
        lines: newlines + (lastByte === undefined || lastByte === newline ? 0 : 1),
        sha256: hash.digest("hex"),
        complete: gaps.length === 0,
        gaps,
        blocks,
      };
      return { index, times: Buffer.concat(times) };
    },
  };
}

/** The bytes of a log object, made as they are asked for; hands the index to `done` before the last ones. */
export async function* encodeLog(text: LogText, done: (index: LogIndex) => void): AsyncGenerator<Uint8Array> {
  const blocks = createBlocks(text.from ?? 0);
  yield magic;
  for await (const chunk of text.chunks) {
    const begin = chunk.type === "bytes" ? chunk.offset : chunk.from;
    if (begin !== blocks.size()) throw new Error(`a log's part begins at ${begin} where ${blocks.size()} was due`);
    if (chunk.type === "gap") {
      const frame = await blocks.close();
      if (frame) yield frame;
      blocks.addGap(chunk);
      continue;
    }
    for (let at = 0; at < chunk.bytes.length; ) {
      const bytes = chunk.bytes.subarray(at, at + blocks.room());
      blocks.add({ ...chunk, offset: chunk.offset + at, bytes });
      at += bytes.length;
      const frame = blocks.isFull() ? await blocks.close() : undefined;
      if (frame) yield frame;
    }
  }
  const last = await blocks.close();
  if (last) yield last;
  const { index, times } = blocks.finish(text.assignment);
  const frame = await compress(Buffer.from(JSON.stringify(LogIndex.parse(index)), "utf8"));
  done(index);
  yield times;
  yield frame;
  yield encodeTrailer({ index: frame.length, times: times.length });
}

/** The same parts, or undefined if there is neither a byte nor a gap among them. */
export async function ifAny(chunks: LogText["chunks"]): Promise<AsyncIterable<LogChunk> | undefined> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let first = await iterator.next();
  while (!first.done && first.value.type === "bytes" && first.value.bytes.length === 0) first = await iterator.next();
  if (first.done) return undefined;
  const head = first.value;
  return (async function* () {
    try {
      yield head;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

/** Stores a log without ever holding it in memory; undefined if it was empty, since a log without a byte has no object. */
export async function putLog(
  store: Store,
  key: string,
  text: LogText,
  options: { readonly onlyIfAbsent: boolean; readonly signal?: AbortSignal },
): Promise<LogIndex | undefined> {
  const chunks = await ifAny(text.chunks);
  if (!chunks) return undefined;
  let index: LogIndex | undefined;
  const body = encodeLog({ ...text, chunks }, (finished) => {
    index = finished;
  });
  await store.put(key, body, options);
  return index;
}
