/** Bytes of a log as they came: `offset` is the address of the first one, `at` (ms) when they were read from the step. */
export interface LogBytes {
  readonly type: "bytes";
  readonly offset: number;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Bytes `from` to `to` (exclusive) are lost for good. `to` is null if nobody knows how many there were;
 * such a gap takes no address, and what follows it (there is nothing, as a rule) begins at `from`.
 */
export interface LogGap {
  readonly type: "gap";
  readonly from: number;
  readonly to: number | null;
  /** A reason code: `executor_lost`, `not_uploaded`, `disk_full`. */
  readonly why: string;
}

/** A part of a log. Parts of one log are in order of their addresses and leave no hole but gaps. */
export type LogChunk = LogBytes | LogGap;

/** The address after the chunk. */
export function endOf(chunk: LogChunk): number {
  return chunk.type === "bytes" ? chunk.offset + chunk.bytes.length : (chunk.to ?? chunk.from);
}
