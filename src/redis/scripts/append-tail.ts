import { z } from "zod";
import { defineScript } from "../define-script.ts";

export interface TailAppend {
  readonly assignment: string;
  readonly step: string;
  readonly offset: number;
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Segments in ost hold everything below this address. */
  readonly segmentedTo: number;
  readonly keepBytes: number;
  readonly budgetBytes: number;
  readonly ttlMs: number;
}

/** True if the bytes were appended, false if the tail had them already. */
export const appendTailScript = defineScript({
  file: new URL("./append-tail.lua", import.meta.url),
  keys: (append: TailAppend, keys) => [keys.log(append.assignment, append.step), keys.logTails],
  args: (append) => [
    `${append.assignment}:${append.step}`,
    append.offset,
    append.offset + append.bytes.length,
    append.at,
    Buffer.from(append.bytes.buffer, append.bytes.byteOffset, append.bytes.byteLength),
    append.segmentedTo,
    append.keepBytes,
    append.budgetBytes,
    append.ttlMs,
  ],
  reply: z.union([z.literal(0), z.literal(1)]).transform((n) => n === 1),
});
