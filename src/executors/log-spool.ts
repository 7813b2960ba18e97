import { type FileHandle, open, rm } from "node:fs/promises";
import type { LogBytes, LogChunk } from "../ost/log-chunk.ts";
import { hasCode } from "./file-errors.ts";

/** A piece's record beside the text: when it came (ms), and how long it is. */
const recordBytes = 16;
const readBytes = 64 * 1024;

/** A log's text on this host until it is stored in ost, with the time at which each piece came. Only appended to. */
export interface LogSpool {
  readonly size: () => number;
  readonly append: (bytes: Uint8Array, at: number) => Promise<void>;
  /** The pieces from an address on, as far as they were appended when asked; pieces are cut to at most `maxBytes`. */
  readonly read: (from: number, maxBytes?: number) => AsyncGenerator<LogBytes>;
  readonly close: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** A spool at `path`, on top of what an earlier process has spooled there if it is `resumed`. Nothing is created before the first byte. */
export async function openLogSpool(path: string, resumed: boolean): Promise<LogSpool> {
  const timesPath = `${path}.times`;
  let text: FileHandle | undefined;
  let times: FileHandle | undefined;
  let size = 0;
  let records = 0;

  const openFiles = async (flags: "w+" | "r+") => {
    times = await open(timesPath, flags, 0o600);
    text = await open(path, flags, 0o600);
  };

  /** A piece counts once both its bytes and its record are there: a crash may leave one without the other. */
  const resume = async () => {
    if (!text || !times) return;
    const [textSize, timesSize] = [(await text.stat()).size, (await times.stat()).size];
    for await (const record of readRecords(times, Math.floor(timesSize / recordBytes))) {
      if (size + record.length > textSize) break;
      size += record.length;
      records += 1;
    }
    await text.truncate(size);
    await times.truncate(records * recordBytes);
  };

  if (resumed) {
    await openFiles("r+").catch((error: unknown) => {
      if (!hasCode(error, "ENOENT")) throw error;
    });
    await resume();
  }

  return {
    size: () => size,
    append: async (bytes, at) => {
      if (bytes.length === 0) return;
      if (!text || !times) await openFiles("w+");
      const record = Buffer.alloc(recordBytes);
      record.writeDoubleLE(at, 0);
      record.writeDoubleLE(bytes.length, 8);
      await writeAll(text, bytes, size);
      await writeAll(times, record, records * recordBytes);
      size += bytes.length;
      records += 1;
    },
    read: async function* (from, maxBytes = readBytes) {
      const end = size;
      if (!text || !times || from >= end) return;
      let offset = 0;
      for await (const record of readRecords(times, records)) {
        const recordEnd = offset + record.length;
        for (let at = Math.max(offset, from); at < Math.min(recordEnd, end); ) {
          const length = Math.min(maxBytes, recordEnd - at);
          const { bytesRead, buffer } = await text.read(Buffer.allocUnsafe(length), 0, length, at);
          if (bytesRead === 0) throw new Error(`the spooled log ${path} is shorter than it was`);
          yield { type: "bytes", offset: at, at: record.at, bytes: buffer.subarray(0, bytesRead) };
          at += bytesRead;
        }
        offset = recordEnd;
        if (offset >= end) return;
      }
    },
    close: async () => {
      await text?.close();
      await times?.close();
      text = undefined;
      times = undefined;
    },
    remove: async () => {
      await rm(path, { force: true });
      await rm(timesPath, { force: true });
    },
  };
}

async function writeAll(file: FileHandle | undefined, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten = 0 } = (await file?.write(bytes, at, bytes.length - at, position + at)) ?? {};
    at += bytesWritten;
  }
}

interface PieceRecord {
  readonly at: number;
  readonly length: number;
}

async function* readRecords(times: FileHandle, count: number): AsyncGenerator<PieceRecord> {
  const perRead = 4096;
  for (let first = 0; first < count; first += perRead) {
    const wanted = Math.min(perRead, count - first) * recordBytes;
    const { bytesRead, buffer } = await times.read(Buffer.alloc(wanted), 0, wanted, first * recordBytes);
    for (let at = 0; at + recordBytes <= bytesRead; at += recordBytes) {
      yield { at: buffer.readDoubleLE(at), length: buffer.readDoubleLE(at + 8) };
    }
  }
}

/** A log's pieces, with the loss of everything after them if there is one. */
export async function* withLoss(
  chunks: AsyncIterable<LogChunk>,
  loss: { readonly from: number; readonly why: string } | undefined,
): AsyncGenerator<LogChunk> {
  yield* chunks;
  if (loss) yield { type: "gap", from: loss.from, to: null, why: loss.why };
}
