import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { z } from "zod";

/**
 * The format of a log object (docs/formats/log.md): the magic, blocks of text, one list of times per block, the index, and a
 * trailer. Blocks, times and index are zstd frames of their own, so a reader fetches the end of the object first, then only
 * the blocks it wants.
 */
export const magic = Buffer.from("OSTLOG1\n", "latin1");
export const trailerBytes = 16;

/** Text per block: a smaller one compresses worse, a bigger one makes reading a few lines dearer. */
export const blockBytes = 256 * 1024;

/** Read from the end at first: holds index and times of logs of a few hundred megabytes, and whole small logs. */
export const suffixBytes = 64 * 1024;

const Block = z.tuple([
  /** Address of its first byte. */
  z.number(),
  z.number().describe("bytes of text"),
  z.number().describe("newlines in it"),
  z.number().describe("bytes of its frame"),
  z.number().describe("bytes of the frame of its times"),
]);

/** What the index of a log object says. Addresses count bytes of text from the log's begin; times are ms. */
export const LogIndex = z.object({
  version: z.literal(1),
  assignment: z.string(),
  /** When the first bytes came. */
  begunAt: z.number(),
  /** Not 0 in segments. */
  from: z.number(),
  /** The address after the last byte, lost ones counted. */
  size: z.number(),
  lines: z.number(),
  /** Of the text that is there, in hex. */
  sha256: z.string(),
  /** Nothing is lost. */
  complete: z.boolean(),
  gaps: z.array(z.object({ from: z.number(), to: z.number().nullable(), why: z.string() })),
  blocks: z.array(Block),
});
export type LogIndex = z.infer<typeof LogIndex>;

const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);
const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** One zstd frame that notices its own corruption. */
export function compress(bytes: Uint8Array): Promise<Buffer> {
  return compressAsync(bytes, withChecksum);
}

export function decompress(frame: Uint8Array): Promise<Buffer> {
  return decompressAsync(frame);
}

/** The bytes after index: how long index and times are, then the magic. */
export function encodeTrailer(lengths: { readonly index: number; readonly times: number }): Buffer {
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(lengths.index, 0);
  trailer.writeUInt32LE(lengths.times, 4);
  magic.copy(trailer, 8);
  return trailer;
}

/** Lengths of index and times from an object's last bytes; throws if it is not a log of this version. */
export function decodeTrailer(end: Buffer): { readonly index: number; readonly times: number } {
  const at = end.length - trailerBytes;
  if (at < 0 || !end.subarray(at + 8).equals(magic)) throw new Error("not a log object, or of an unknown version");
  return { index: end.readUInt32LE(at), times: end.readUInt32LE(at + 4) };
}

/** So many bytes in a row that came at the same time (ms). */
export interface TimeRun {
  readonly bytes: number;
  readonly at: number;
}

function pushVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

/** Pairs of varints: bytes, and the time's difference from the one before (zigzag, since clocks step back too). */
export function encodeTimes(runs: readonly TimeRun[]): Uint8Array {
  const out: number[] = [];
  let last = 0;
  for (const run of runs) {
    const delta = run.at - last;
    pushVarint(out, run.bytes);
    pushVarint(out, delta >= 0 ? delta * 2 : -delta * 2 - 1);
    last = run.at;
  }
  return Uint8Array.from(out);
}

export function decodeTimes(encoded: Uint8Array): TimeRun[] {
  let position = 0;
  const next = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = encoded[position++];
      if (byte === undefined) throw new Error("a log's times end in the middle of a number");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const runs: TimeRun[] = [];
  let at = 0;
  while (position < encoded.length) {
    const bytes = next();
    const zigzag = next();
    at += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    runs.push({ bytes, at });
  }
  return runs;
}
