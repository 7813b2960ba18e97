import { describe, expect, it } from "vitest";
import { treeRows } from "../../src/cli/watch/tree.ts";
import { tasksOf } from "../support/run-views.ts";

const draw = (parents: Readonly<Record<string, readonly string[]>>) => treeRows(tasksOf(parents)).map(({ prefix, name }) => prefix + name);

describe("a tree", () => {
  it("keeps a chain in one column and indents where it forks", () => {
    expect(draw({ a: [], b: ["a"], c: ["b"], d: ["b"], e: ["c"] })).toEqual(["a", "b", "├─ c", "│  e", "└─ d"]);
  });

  it("hangs a task below the parent that it waits for longest, once", () => {
    expect(draw({ a: [], b: ["a"], c: ["b"], join: ["a", "b", "c"] })).toEqual(["a", "b", "c", "join"]);
  });

  it("shows every task of any graph exactly once, level by level in each column", () => {
    const names = Array.from({ length: 60 }, (_, i) => `t${String(i).padStart(2, "0")}`);
    const parents = Object.fromEntries(names.map((name, i) => [name, names.slice(0, i).filter((_, p) => (i * 7 + p * 3) % 11 < 2)]));
    expect(
      treeRows(tasksOf(parents))
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(names);
  });

  it("is not pushed off the screen by a deep comb, nor ended by a long chain", () => {
    const comb = Object.fromEntries(
      Array.from(
        { length: 40 },
        (_, i) =>
          [
            [`a${i}`, i === 0 ? [] : [`a${i - 1}`]],
            [`b${i}`, i === 0 ? [] : [`a${i - 1}`]],
          ] as const,
      ).flat(),
    );
    expect(Math.max(...treeRows(tasksOf(comb)).map(({ prefix }) => prefix.length))).toBe(24);
    const chain = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`t${i}`, { level: i, depends: i === 0 ? {} : { [`t${i - 1}`]: [] } }]),
    );
    expect(treeRows(chain)).toHaveLength(20_000);
  });
});
