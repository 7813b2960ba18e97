import type { AttemptReason } from "../runs/outcome.ts";
import type { RunReason } from "../runs/states.ts";
import type { AttemptView, RunView, StepView, TaskView } from "../runs/view.ts";
import { oneLine, truncate } from "./text/width.ts";

const reasonWords: Readonly<Record<AttemptReason, string>> = {
  exit_code: "a step failed",
  timeout: "took longer than its timeout",
  oom: "ran out of memory",
  executor_lost: "its executor was lost",
  pod_lost: "its pod disappeared",
  evicted: "its pod was evicted",
  image: "its image could not be pulled",
  image_permanent: "its image cannot be pulled",
  start_timeout: "its pod did not start in time",
  setup: "its setup failed",
  config: "its configuration cannot work",
  queue_timeout: "no executor took it in time",
  approval_timeout: "nobody approved it in time",
  run_timeout: "the run took longer than its timeout",
  stopped: "stopped",
  internal: "an internal error of ostler",
};

const runReasonWords: Readonly<Record<RunReason, string>> = {
  requested: "somebody asked for it",
  queue_timeout: "it was queued for too long",
  superseded: "a newer run took its place",
  run_timeout: "it took longer than its timeout",
  internal: "an internal error of ostler",
  state_lost: "its state was lost with Redis",
};

/** What people read for a wire name. */
const stateWords: Readonly<Record<string, string>> = { setuperror: "setup error", notstarted: "not started" };

export function stateWord(state: string): string {
  return stateWords[state] ?? state;
}

/** A run's fate or state in one word. A run that still runs may have its result already: then it only cleans up, or goes on with what still may run. */
export function runWord(run: Pick<RunView, "phase" | "result"> & { readonly stopping?: boolean }): string {
  if (run.phase === "finished") return run.result;
  if (run.phase !== "running") return stateWord(run.phase);
  if (run.result === "failed") return "failing";
  if (run.stopping || run.result === "stopped") return "stopping";
  return run.result === "success" ? "finishing" : "running";
}

export function runReasonWord(reason: RunReason): string {
  // A newer server may know reasons that we do not.
  return runReasonWords[reason] ?? reason;
}

export function reasonWord(reason: AttemptReason): string {
  return reasonWords[reason] ?? reason;
}

/** The attempt that counts: the current or last one. */
export function lastAttempt(task: TaskView): AttemptView | undefined {
  return task.attempts.findLast((attempt) => attempt.number === task.attempt) ?? task.attempts.at(-1);
}

/** A step and its position from 0; the setup has none. */
export interface PlacedStep {
  readonly step: StepView;
  readonly index: number | undefined;
}

/** The first step of an attempt in a phase; the setup before all. */
export function stepIn(attempt: AttemptView | undefined, phase: StepView["phase"]): PlacedStep | undefined {
  if (!attempt) return undefined;
  if (attempt.setup.phase === phase) return { step: attempt.setup, index: undefined };
  const index = attempt.steps.findIndex((step) => step.phase === phase);
  const step = attempt.steps[index];
  return step && { step, index };
}

/** `step 2 "unit tests"`, or `setup`; people count steps from 1, addresses from 0, so the name is what both share. */
export function stepWord({ step, index }: PlacedStep): string {
  return index === undefined ? "setup" : `step ${index} "${truncate(oneLine(step.name), mostNameColumns)}"`;
}

/** A step without a name of its own is called by its command, which may be a program. */
const mostNameColumns = 40;

/** Why a task failed or was stopped, in a line: `exit code 2 in step 1 "unit tests"`. */
export function failureWord(task: TaskView): string {
  const attempt = lastAttempt(task);
  const failed = stepIn(attempt, "failed");
  const where = failed ? ` in ${stepWord(failed)}` : "";
  const exitCode = failed?.step.exitCode ?? attempt?.exitCode ?? null;
  const message = attempt?.message ? `: ${attempt.message}` : "";
  if (task.reason === "exit_code" || task.reason === null) {
    return exitCode === null ? `${task.status}${where}${message}` : `exit code ${exitCode}${where}${message}`;
  }
  return `${reasonWord(task.reason)}${where}${message}`;
}
