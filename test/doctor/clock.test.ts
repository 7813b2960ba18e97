import { expect, it } from "vitest";
import { judgeClock } from "../../src/doctor/clock.ts";

const reading = { check: "redis.clock", whose: "Redis's clock", askedMs: 10_000, answeredMs: 10_400, toleratedMs: 5_000 };

it.each([
  ["the same", 10_200, "ok"],
  ["off by no more than the question took", 10_400, "ok"],
  ["ahead by a second and the way", 11_400, "ok"],
  ["ahead by more", 11_500, "warning"],
  ["behind by more", 8_900, "warning"],
  ["behind by what does harm", 4_900, "failed"],
  ["ahead by what does harm", 15_500, "failed"],
])("a clock that is %s", (_, otherMs, state) => {
  expect(judgeClock({ ...reading, otherMs }).state).toBe(state);
});

it("is told by how much and in which direction", () => {
  expect(judgeClock({ ...reading, otherMs: 13_400 }).message).toBe("Redis's clock is 3.0 s ahead of this machine's clock");
  expect(judgeClock({ ...reading, otherMs: 8_000 }).message).toBe("Redis's clock is 2.0 s behind this machine's clock");
});
