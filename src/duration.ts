const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/** How people write a duration, for messages. */
export const durationForm = "a number with one of the units ms, s, m, h, d, such as 30s";

function isUnit(unit: string): unit is keyof typeof unitsMs {
  return Object.hasOwn(unitsMs, unit);
}

/** Milliseconds of a duration such as `500ms`, `1.5h` or `7d`; undefined for anything else, a bare number included. */
export function parseDuration(text: string): number | undefined {
  const [, amount = "", unit = ""] = pattern.exec(text) ?? [];
  return isUnit(unit) ? Math.round(Number(amount) * unitsMs[unit]) : undefined;
}

/** The shortest text that `parseDuration` reads back as `ms`. */
export function formatDuration(ms: number): string {
  const [unit, unitMs] = Object.entries(unitsMs).findLast(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${ms / unitMs}${unit}`;
}
