import { durationForm, parseDuration } from "../duration.ts";

/** A hundred years. Beyond it a sum with a clock would no longer be an exact date. */
const maxMs = 100 * 365 * 86_400_000;

/** The milliseconds of a duration that has been checked, or the default if there is none. */
export function durationMs(text: string | undefined, defaultMs: number): number {
  if (text === undefined) return defaultMs;
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error(`not a duration: ${text}`);
  return ms;
}

export function checkDuration(text: string | undefined, report: (message: string) => void): void {
  if (text === undefined) return;
  const ms = parseDuration(text);
  if (ms === undefined) report(`"${text}" is not a duration, write ${durationForm}`);
  else if (ms > maxMs) report(`"${text}" is longer than a hundred years`);
}
