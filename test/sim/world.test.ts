import { describe, expect, it } from "vitest";
import { simulate } from "./world.ts";

/** Each of them is a world of its own; `node test/sim/explore.ts` looks for more. */
const seeds = Array.from({ length: 40 }, (_, index) => index + 1);
const perTest = 5;
const chapters = Array.from({ length: seeds.length / perTest }, (_, index) => seeds.slice(index * perTest, (index + 1) * perTest));

describe("a world in which everything fails that may fail", () => {
  it.each(chapters)("ends every run exactly once, and leaves nothing behind: seeds %i and on", async (...chapter) => {
    for (const seed of chapter) {
      const { runs } = await simulate({ seed }).catch((cause: unknown) => {
        throw new Error(`seed ${seed}`, { cause });
      });
      expect(runs).toBeGreaterThan(0);
    }
  });

  it("has the same history for the same seed", async () => {
    const [first, second] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
    expect(second).toEqual(first);
    expect((await simulate({ seed: 8 })).digest).not.toBe(first.digest);
  });
});
