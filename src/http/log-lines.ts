import type { LogBytes } from "../ost/log-chunk.ts";
import type { LogItem } from "../ost/log-subject.ts";

/** Text of a log: `from` and `to` (exclusive) are the addresses of its bytes, whatever was added to it. */
export interface LogPiece {
  readonly type: "text";
  readonly from: number;
  readonly to: number;
  /** When its bytes came (ms); 0 if nobody knows. */
  readonly at: number;
  readonly text: string;
}

export type TextItem = LogPiece | OtherItem;

/** A longer line is looked at and shown in pieces: no line ever makes the server hold a whole log. */
const maxLineBytes = 64 * 1024;

/** How many bytes at the end begin a UTF-8 sequence that goes on after them: 0 to 3. */
function openBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

type OtherItem = Exclude<LogItem, LogBytes>;

/** Bytes that belong together, with the time of their first one. */
interface Run {
  readonly type: "bytes";
  readonly from: number;
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Bytes from this address on came later, at `laterAt`. */
  readonly laterFrom: number;
  readonly laterAt: number;
}

function join(rest: Run | undefined, { offset, at, bytes }: LogBytes): Run {
  if (!rest) return { type: "bytes", from: offset, at, bytes, laterFrom: offset, laterAt: at };
  return { ...rest, bytes: Buffer.concat([rest.bytes, bytes]), laterFrom: offset, laterAt: at };
}

const endOfRun = ({ from, bytes }: Run) => from + bytes.length;
const timeAt = ({ at, laterFrom, laterAt }: Run, address: number) => (address >= laterFrom ? laterAt : at);

/**
 * Cuts bytes where `open` says how many of them at the end must wait for more. What still waits at a gap, a jump of addresses,
 * or the end is given as it is.
 */
async function* cut(items: AsyncIterable<LogItem>, open: (bytes: Uint8Array) => number): AsyncGenerator<Run | OtherItem> {
  let rest: Run | undefined;
  for await (const item of items) {
    if (rest && (item.type !== "bytes" || endOfRun(rest) !== item.offset)) {
      yield rest;
      rest = undefined;
    }
    if (item.type !== "bytes") {
      yield item;
      continue;
    }
    const joined = join(rest, item);
    const whole = joined.bytes.length - open(joined.bytes);
    if (whole > 0) yield { ...joined, bytes: joined.bytes.subarray(0, whole) };
    const from = joined.from + whole;
    rest = whole === joined.bytes.length ? undefined : { ...joined, from, at: timeAt(joined, from), bytes: joined.bytes.subarray(whole) };
  }
  if (rest) yield rest;
}

const decoder = new TextDecoder();

/** Bytes that are no UTF-8 become U+FFFD. */
function piece(from: number, at: number, bytes: Uint8Array): LogPiece {
  return { type: "text", from, to: from + bytes.length, at, text: decoder.decode(bytes) };
}

/** Texts as the bytes come, cut at UTF-8 boundaries only. */
export async function* texts(items: AsyncIterable<LogItem>): AsyncGenerator<TextItem> {
  for await (const item of cut(items, openBytes)) yield item.type === "bytes" ? piece(item.from, item.at, item.bytes) : item;
}

/** Texts of one line each, with its newline; a line beyond 64 KiB comes in several. */
export async function* lines(items: AsyncIterable<LogItem>): AsyncGenerator<TextItem> {
  const afterLastNewline = (bytes: Uint8Array) => {
    const open = bytes.length - 1 - bytes.lastIndexOf(newline);
    return open > maxLineBytes ? openBytes(bytes) : open;
  };
  for await (const item of cut(items, afterLastNewline)) {
    if (item.type === "bytes") yield* splitLines(item);
    else yield item;
  }
}

const newline = 0x0a;

function* splitLines(run: Run): Generator<LogPiece> {
  for (let start = 0; start < run.bytes.length; ) {
    const at = run.bytes.indexOf(newline, start);
    const end = at === -1 ? run.bytes.length : at + 1;
    yield piece(run.from + start, timeAt(run, run.from + start), run.bytes.subarray(start, end));
    start = end;
  }
}

/** Only lines that `matches`, newline excluded. */
export async function* grep(items: AsyncIterable<TextItem>, matches: (line: string) => boolean): AsyncGenerator<TextItem> {
  for await (const item of items) if (item.type !== "text" || matches(item.text.replace(/\r?\n$/, ""))) yield item;
}

/** Each line with the time when it came before it; addresses stay those of the stored text. */
export async function* withTimes(items: AsyncIterable<TextItem>): AsyncGenerator<TextItem> {
  for await (const item of items) {
    if (item.type !== "text" || item.at === 0) yield item;
    else yield { ...item, text: `${new Date(item.at).toISOString()} ${item.text}` };
  }
}
