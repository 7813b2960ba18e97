import type { LogBytes, LogChunk } from "../ost/log-chunk.ts";
import type { LogReader, ReadRange } from "../ost/log-reader.ts";
import type { LogItem, LogSubject } from "../ost/log-subject.ts";
import type { LogEnd } from "../ost/log-tail.ts";

/** A log as it is asked for over HTTP: of one step, or of a whole attempt. Addresses count bytes of its text. */
export interface LogText {
  /** What is there now, and how it ended if it has. Throws `log_deleted`. */
  readonly size: () => Promise<{ readonly size: number; readonly end: LogEnd | undefined }>;
  readonly read: (range: ReadRange) => AsyncGenerator<LogChunk>;
  readonly follow: (options: { readonly from: number; readonly times?: boolean; readonly signal: AbortSignal }) => AsyncGenerator<LogItem>;
  /** Where the last `lines` lines begin. */
  readonly tailStart: (lines: number) => Promise<number>;
}

export function logOfStep(reader: LogReader, subject: LogSubject): LogText {
  return {
    size: () => reader.size(subject),
    read: (range) => reader.read(subject, range),
    follow: (options) => reader.follow(subject, options),
    tailStart: (lines) => reader.tailStart(subject, lines),
  };
}

export interface LogPart {
  readonly title: string;
  readonly log: LogText;
}

/** Moves a chunk from its part's addresses to those of the whole. */
function shift(chunk: LogChunk, base: number): LogChunk {
  if (chunk.type === "bytes") return { ...chunk, offset: chunk.offset + base };
  return { ...chunk, from: chunk.from + base, to: chunk.to === null ? null : chunk.to + base };
}

/** The title line before a part, from address `from` on; undefined if that is behind it. */
function headOf(title: Uint8Array, base: number, from: number): LogBytes | undefined {
  const skip = Math.max(0, from - base);
  return skip >= title.length ? undefined : { type: "bytes", offset: base + skip, at: 0, bytes: title.subarray(skip) };
}

/**
 * Logs one after another, each under its title. A part begins where the one before it has ended for good, so addresses stay
 * the same while the last one grows, and once all have ended.
 */
export function joinLogs(parts: readonly LogPart[]): LogText {
  const titled = parts.map(({ title, log }, index) => ({ title: Buffer.from(`${index === 0 ? "" : "\n"}=== ${title} ===\n`), log }));

  /** Parts that have begun, with the addresses of their titles; the last of them may still grow. */
  async function* begun() {
    let base = 0;
    for (const { title, log } of titled) {
      const { size, end } = await log.size();
      yield { title, log, base, size, end };
      if (!end) return;
      base += title.length + size;
    }
  }

  const sizeOfAll = async () => {
    let size = 0;
    let complete = true;
    let ended = 0;
    for await (const part of begun()) {
      size = part.base + part.title.length + part.size;
      complete &&= part.end?.complete ?? false;
      if (part.end) ended += 1;
    }
    return { size, end: ended === titled.length ? { size, sha256: null, complete } : undefined };
  };

  async function* read({ from, to = Number.POSITIVE_INFINITY, times = false }: ReadRange): AsyncGenerator<LogChunk> {
    for await (const { title, log, base, size } of begun()) {
      if (base >= to) return;
      const start = base + title.length;
      const head = headOf(title, base, from);
      if (head) yield { ...head, bytes: head.bytes.subarray(0, to - head.offset) };
      if (from >= start + size || start >= to) continue;
      for await (const chunk of log.read({ from: Math.max(0, from - start), to: to - start, times })) yield shift(chunk, start);
    }
  }

  async function* follow({ from, times = false, signal }: Parameters<LogText["follow"]>[0]): AsyncGenerator<LogItem> {
    let base = 0;
    let complete = true;
    for (const { title, log } of titled) {
      const head = headOf(title, base, from);
      if (head) yield head;
      base += title.length;
      for await (const item of log.follow({ from: Math.max(0, from - base), times, signal })) {
        if (item.type !== "end") yield shift(item, base);
        else {
          base += item.size;
          complete &&= item.complete;
        }
      }
    }
    yield { type: "end", size: base, sha256: null, complete };
  }

  /** From the end backwards: the last part that has as many lines, or all of them. */
  const tailStart = async (lines: number) => {
    const all = [];
    for await (const part of begun()) all.push(part);
    let wanted = lines;
    for (const { title, log, base } of all.toReversed()) {
      const within = await log.tailStart(wanted);
      if (within > 0) return base + title.length + within;
      wanted -= await linesOf(log);
      if (wanted <= 0) return base + title.length;
      const titleLines = newlinesIn(title);
      if (wanted <= titleLines) return base + afterNewlines(title, titleLines - wanted);
      wanted -= titleLines;
    }
    return 0;
  };

  return { size: sizeOfAll, read, follow, tailStart };
}

const newline = 0x0a;

function newlinesIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === newline) count += 1;
  return count;
}

/** Where the bytes after the first `count` newlines begin. */
function afterNewlines(bytes: Uint8Array, count: number): number {
  let at = 0;
  for (let seen = 0; seen < count; seen++) at = bytes.indexOf(newline, at) + 1;
  return at;
}

/** A last line without a newline is a line as well. */
async function linesOf(log: LogText): Promise<number> {
  let count = 0;
  let last = newline;
  for await (const chunk of log.read({ from: 0 })) {
    if (chunk.type !== "bytes") continue;
    count += newlinesIn(chunk.bytes);
    last = chunk.bytes.at(-1) ?? last;
  }
  return last === newline ? count : count + 1;
}
