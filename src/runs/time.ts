/** All events of a batch have one time. */
let last = { ms: 0, text: new Date(0).toISOString() };

/** A time in ms as answers show it: RFC 3339, UTC, milliseconds; what does not apply is null. */
export function timeOf(ms: number): string;
export function timeOf(ms: number | undefined): string | null;
export function timeOf(ms: number | undefined): string | null {
  if (ms === undefined) return null;
  if (ms !== last.ms) last = { ms, text: new Date(ms).toISOString() };
  return last.text;
}
