const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A duration (ms) as people say it, in at most two units: `0.4s`, `12s`, `3m05s`, `2h01m`, `4d03h`. */
export function durationText(ms: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  if (ms < 0) return "0s";
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`;
  const rounded = Math.round(ms / 1000) * 1000;
  if (rounded < minuteMs) return `${rounded / 1000}s`;
  if (rounded < hourMs) return `${Math.floor(rounded / minuteMs)}m${two((rounded % minuteMs) / 1000)}s`;
  if (rounded < dayMs) return `${Math.floor(rounded / hourMs)}h${two((rounded % hourMs) / minuteMs)}m`;
  return `${Math.floor(rounded / dayMs)}d${two((rounded % dayMs) / hourMs)}h`;
}

/** How long ago (ms) something was, in one unit: `5s`, `12m`, `3h`, `9d`. */
export function ageText(ms: number): string {
  if (ms < minuteMs) return `${Math.max(0, Math.floor(ms / 1000))}s`;
  if (ms < 2 * hourMs) return `${Math.floor(ms / minuteMs)}m`;
  if (ms < 2 * dayMs) return `${Math.floor(ms / hourMs)}h`;
  return `${Math.floor(ms / dayMs)}d`;
}

/** Milliseconds between two RFC 3339 times; up to `nowMs` if it has not ended; undefined if it has not begun. */
export function elapsedMs(from: string | null, to: string | null, nowMs: number): number | undefined {
  if (from === null) return undefined;
  return (to === null ? nowMs : Date.parse(to)) - Date.parse(from);
}
