import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/duration.ts";

describe("durations", () => {
  it.each([
    ["0s", 0],
    ["250ms", 250],
    ["5s", 5_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
  ])("reads %s as %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "5", "s", "-1s", "1 s", "1w", "1e3s", "1h30m", "5S", "1constructor", "9999999999999s"])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("writes what it reads back, in the largest unit that fits exactly", () => {
    expect(formatDuration(90_000)).toBe("90s");
    expect(formatDuration(604_800_000)).toBe("7d");
    expect(formatDuration(0)).toBe("0ms");
    for (const ms of [0, 1, 999, 1_000, 61_000, 86_400_000]) expect(parseDuration(formatDuration(ms))).toBe(ms);
  });
});
