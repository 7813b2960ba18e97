/** An entry of a Redis stream: `<ms>-<sequence>`. They sort by number, not as text. */
export type StreamId = string;

export const firstStreamId: StreamId = "0-0";

function parts(id: StreamId): readonly [ms: number, sequence: number] {
  const [ms = "0", sequence = "0"] = id.split("-");
  return [Number(ms), Number(sequence)];
}

/** Below zero if `a` is older than `b`, zero if they are the same. */
export function compareStreamIds(a: StreamId, b: StreamId): number {
  const [aMs, aSequence] = parts(a);
  const [bMs, bSequence] = parts(b);
  return aMs - bMs || aSequence - bSequence;
}

const maxSequence = "18446744073709551615";

/** Whether Redis would take it as an id: both numbers have 64 bits there, and it answers more than that with an error. */
export function isStreamId(text: string): boolean {
  const [, sequence] = /^\d{1,16}-(\d{1,20})$/.exec(text) ?? [];
  return sequence !== undefined && BigInt(sequence) <= BigInt(maxSequence);
}

/** The id right before: reading after it begins with `id`. There is none before 0-0, which no entry has. */
export function streamIdBefore(id: StreamId): StreamId {
  const [ms = "0", sequence = "0"] = id.split("-");
  if (sequence !== "0") return `${ms}-${BigInt(sequence) - 1n}`;
  return ms === "0" ? firstStreamId : `${Number(ms) - 1}-${maxSequence}`;
}

/** The same order as text, for SQLite. */
export function sortableStreamId(id: StreamId): string {
  const [ms, sequence] = parts(id);
  return `${String(ms).padStart(15, "0")}-${String(sequence).padStart(10, "0")}`;
}
