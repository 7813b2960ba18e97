import { describe, expect, it } from "vitest";
import { isFulfilled } from "../../../src/runs/conditions.ts";
import { Condition } from "../../../src/runs/definition.ts";
import type { TerminalTaskStatus } from "../../../src/runs/states.ts";

const statuses: readonly TerminalTaskStatus[] = ["success", "failed", "skipped", "cancelled", "stopped"];

/** The table that is published. */
const table: Readonly<Record<Condition, readonly boolean[]>> = {
  on_success: [true, false, false, false, false],
  on_failure: [false, true, false, false, false],
  on_skipped: [false, false, true, false, false],
  always: [true, true, true, true, true],
};

describe("the truth table", () => {
  it.each(
    Condition.options.flatMap((condition) => statuses.map((status, column) => [condition, status, table[condition][column]] as const)),
  )("%s after %s: %s", (condition, status, expected) => {
    expect(isFulfilled([condition], status)).toBe(expected);
  });

  it("takes any of a parent's conditions", () => {
    expect(isFulfilled(["on_success", "on_failure"], "failed")).toBe(true);
    expect(isFulfilled(["on_success", "on_failure"], "skipped")).toBe(false);
  });
});
