/** A time in ms as answers show it: RFC 3339, UTC, milliseconds; what does not apply is null. */
export function timeOf(ms: number): string;
export function timeOf(ms: number | undefined): string | null;
export function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
