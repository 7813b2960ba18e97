import { durationForm, parseDuration } from "../duration.ts";
import { usage } from "./failure.ts";

/** A point in time as people give it (`2h` ago, or a date), as RFC 3339; undefined if it was not given. */
export function timeOption(flag: string, text: string | undefined, nowMs: number): string | undefined {
  if (text === undefined) return undefined;
  const agoMs = parseDuration(text);
  const atMs = agoMs === undefined ? Date.parse(text) : nowMs - agoMs;
  if (Number.isNaN(atMs)) throw usage(`${flag} ${text}: expected how long ago (${durationForm}) or a time such as 2026-01-31T12:00:00Z`);
  return new Date(atMs).toISOString();
}
