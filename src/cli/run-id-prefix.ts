const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** The first characters of a run id are the time (ms) of its creation; see ids.ts. */
const timeLength = 10;
/** An id's time may be ahead of the run's by what one generator adds within a millisecond, or by clocks. */
const toleranceMs = 60_000;
const latestMs = Date.parse("9999-12-31T00:00:00Z");

/** The times (RFC 3339) between which the runs whose ids begin with `prefix` were created. */
export function timesOfPrefix(prefix: string): { readonly since: string; readonly until: string } {
  const digits = prefix.slice(0, timeLength);
  const firstMs = decode(digits.padEnd(timeLength, "0")) - toleranceMs;
  const lastMs = decode(digits.padEnd(timeLength, "z")) + toleranceMs;
  return { since: timeText(firstMs), until: timeText(lastMs) };
}

function decode(text: string): number {
  let value = 0;
  for (const letter of text) value = value * 32 + alphabet.indexOf(letter);
  return value;
}

function timeText(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), latestMs)).toISOString();
}
