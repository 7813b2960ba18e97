import type { RunResult } from "./states.ts";

/** What a running run's result follows from. */
export interface Standing {
  readonly result: RunResult;
  /** Some task failed that does not ignore its failure. */
  readonly hasFailed: boolean;
  /** The run timed out, or it was given up. */
  readonly isGivenUp: boolean;
  /** A stop was requested while some task was not terminal. */
  readonly isStopped: boolean;
  /** Every task is terminal; then no assignment is live either. */
  readonly isComplete: boolean;
}

/** The result of a running run, which is set at most once (A4). Without tasks, or with all of them skipped, a run is a success. */
export function resultOf({ result, hasFailed, isGivenUp, isStopped, isComplete }: Standing): RunResult {
  if (result !== "unknown") return result;
  if (hasFailed || isGivenUp) return "failed";
  if (isStopped) return "stopped";
  return isComplete ? "success" : "unknown";
}
