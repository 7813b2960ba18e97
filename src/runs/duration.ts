const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/;

/** Beyond this a sum with a clock would no longer be an exact date. */
const maxMs = 100 * 365 * units.d;

/** `90s` -> 90000. One number and one of `ms s m h d`; undefined for anything else, and for more than a hundred years. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, amount, unit] = match;
  // The pattern allows the names of `units` only.
  const ms = Math.round(Number(amount) * units[unit as keyof typeof units]);
  return ms <= maxMs ? ms : undefined;
}

/** The milliseconds of a duration that has been checked, or the default if there is none. */
export function durationMs(text: string | undefined, defaultMs: number): number {
  if (text === undefined) return defaultMs;
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error(`not a duration: ${text}`);
  return ms;
}

export function checkDuration(text: string | undefined, report: (message: string) => void): void {
  if (text !== undefined && parseDuration(text) === undefined) {
    report(`"${text}" is not a duration, write a number and one of ms, s, m, h, d, such as 90s`);
  }
}
