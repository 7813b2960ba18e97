import { Condition } from "./definition.ts";
import type { TerminalTaskStatus } from "./states.ts";

/** The published truth table: which conditions a parent's final status fulfils. */
const fulfilledBy: Readonly<Record<TerminalTaskStatus, readonly Condition[]>> = {
  success: ["on_success", "always"],
  failed: ["on_failure", "always"],
  skipped: ["on_skipped", "always"],
  cancelled: ["always"],
  stopped: ["always"],
};

/** True if any of the conditions holds: they are OR-ed within a parent, and AND-ed across parents by the caller. */
export function isFulfilled(conditions: readonly Condition[], parent: TerminalTaskStatus): boolean {
  return conditions.some((condition) => fulfilledBy[parent].includes(condition));
}

export function isCondition(name: string): name is Condition {
  return Condition.safeParse(name).success;
}
