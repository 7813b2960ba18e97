import { type Backoff, defaultBackoff, type TaskNode } from "./graph.ts";
import type { AttemptOutcome, AttemptReason } from "./outcome.ts";
import type { AttemptStop, EndedAttempt } from "./task.ts";

/** What a retry after an attempt that ended for this reason is taken from. */
type Budget = "retry" | "infraRetry" | "none";

const budgetOf: Readonly<Record<AttemptReason, Budget>> = {
  exit_code: "retry",
  timeout: "retry",
  oom: "retry",
  executor_lost: "infraRetry",
  pod_lost: "infraRetry",
  evicted: "infraRetry",
  image: "infraRetry",
  start_timeout: "infraRetry",
  setup: "infraRetry",
  image_permanent: "none",
  config: "none",
  queue_timeout: "none",
  approval_timeout: "none",
  run_timeout: "none",
  stopped: "none",
  internal: "none",
};

/** Attempts whose pod never ran a step cost no budget; a pod that never comes up must still end some day. */
const maxAttemptsWithoutStep = 10;

/** True if the platform is to blame, and not what the task does. */
export function isInfrastructure(reason: AttemptReason | undefined): boolean {
  return reason !== undefined && budgetOf[reason] === "infraRetry";
}

/** How an attempt counts, given what its executor reports and why the run had told it to stop, if it had. */
export function conclude(outcome: AttemptOutcome, stop: AttemptStop | undefined): Pick<EndedAttempt, "phase" | "reason"> {
  if (outcome.phase === "success") return { phase: "success" };
  const failure = failureOf(outcome);
  // A stop that the run did not ask for: whoever did, for the run the pod is lost.
  if (!stop) return { phase: "failed", reason: failure ?? "pod_lost" };
  if (stop.why === "timeout" || stop.why === "start_timeout") return { phase: "failed", reason: failure ?? stop.why };
  // It failed by itself before the stop reached it.
  if (failure !== undefined && budgetOf[failure] === "retry") return { phase: "failed", reason: failure };
  return { phase: "stopped", reason: failure ?? stop.why };
}

/** Why the attempt failed; undefined if its end was a stop carried out. */
function failureOf({ phase, reason }: AttemptOutcome): AttemptReason | undefined {
  if (reason === "stopped" || (phase === "stopped" && !isInfrastructure(reason))) return undefined;
  return reason ?? "internal";
}

/**
 * How long to wait before the next attempt, in ms, after the last of `attempts`; undefined if it was the last for good.
 * What follows a stop of the run is never retried, nor is what ended without proof that its pod is gone: the caller knows.
 */
export function retryDelayMs(node: TaskNode, attempts: readonly EndedAttempt[]): number | undefined {
  const last = attempts.at(-1);
  if (last?.phase !== "failed" || last.reason === undefined) return undefined;
  const budget = budgetOf[last.reason];
  if (budget === "none") return undefined;
  if (!last.ranStep) {
    const withoutStep = attempts.filter((attempt) => !attempt.ranStep).length;
    return withoutStep < maxAttemptsWithoutStep ? backoffMs(defaultBackoff, withoutStep) : undefined;
  }
  const spent = attempts.filter(({ ranStep, reason }) => ranStep && reason !== undefined && budgetOf[reason] === budget).length;
  const limit = budget === "retry" ? node.retryLimit : node.infraRetryLimit;
  if (spent > limit) return undefined;
  return backoffMs(budget === "retry" ? node.backoff : defaultBackoff, spent);
}

/** The wait before the retry number `retry` (from 1): `base * factor^(retry - 1)`, at most `max`. */
function backoffMs({ baseMs, factor, maxMs }: Backoff, retry: number): number {
  return Math.round(Math.min(maxMs, baseMs * factor ** (retry - 1)));
}
