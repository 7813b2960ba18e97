import { expect, it } from "vitest";
import { createRedisClock } from "../../src/redis/clock.ts";

const second = 1000;
const hour = 3600 * second;

/** A clock at 10 h by Redis, with this process's own clock in the test's hand. */
function clockAt(startMs: number) {
  let own = 0;
  const clock = createRedisClock(startMs, () => own);
  return {
    ...clock,
    /** Lets time pass, while Redis tells its own time once a second, which is `behindMs` less than before. */
    pass: (ms: number, behindMs: number) => {
      for (const end = own + ms; own < end; ) {
        own += second;
        clock.observe(startMs + own - behindMs);
      }
    },
  };
}

it("does not run backwards with Redis's clock", () => {
  const clock = clockAt(10 * hour);
  clock.pass(5 * second, 0);
  clock.pass(second, hour);
  const then = clock.now();
  clock.pass(second, hour);
  expect(then).toBeGreaterThanOrEqual(10 * hour + 5 * second);
  expect(clock.now()).toBe(then);
});

it("goes on by its own clock once Redis's has stood behind for ten seconds", () => {
  const clock = clockAt(10 * hour);
  clock.pass(5 * second, 0);
  clock.pass(60 * second, hour);
  expect(clock.now()).toBeGreaterThanOrEqual(10 * hour + 50 * second);
  expect(clock.now()).toBeLessThanOrEqual(10 * hour + 65 * second);
});

it("follows Redis again when its clock has been set right", () => {
  const clock = clockAt(10 * hour);
  clock.pass(60 * second, hour);
  clock.pass(60 * second, 0);
  expect(clock.now()).toBe(10 * hour + 120 * second);
});
