import { expect, it } from "vitest";
import { createDeadlines } from "../../../src/actors/deadlines.ts";
import { heapUsed } from "../../support/heap.ts";

it("tells who is due, earliest first, by their newest deadlines", () => {
  const deadlines = createDeadlines();
  for (const [actor, at] of [
    ["a", 30],
    ["b", 10],
    ["c", 20],
    ["b", 40],
  ] as const)
    deadlines.set(actor, at);
  deadlines.set("c", undefined);
  expect(deadlines.earliest()).toBe(30);
  expect(deadlines.due(40, 10)).toEqual(["a", "b"]);
});

it("keeps nothing of deadlines that no longer count, however far away they were", () => {
  const deadlines = createDeadlines();
  const before = heapUsed();
  for (let run = 0; run < 300_000; run++) {
    deadlines.set(`run/${run}`, 1e12 + run);
    deadlines.set(`run/${run}`, undefined);
  }
  expect(heapUsed() - before).toBeLessThan(3_000_000);
  expect(deadlines.earliest()).toBeUndefined();
});
