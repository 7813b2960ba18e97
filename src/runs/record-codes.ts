import type { AttemptReason } from "./outcome.ts";
import type { RunPhase, RunReason, RunResult, StepPhase, TerminalTaskStatus } from "./states.ts";
import type { AttemptStop, EndedAttempt, Requested, SkipCause, StopCause, TaskState } from "./task.ts";

// What a record holds are positions in these lists, so a name is only ever added at the end of its list.

export const runPhases: readonly RunPhase[] = ["setuperror", "queued", "cancelled", "running", "finished"];
export const runResults: readonly RunResult[] = ["unknown", "stopped", "success", "failed"];
export const runReasons: readonly RunReason[] = ["requested", "queue_timeout", "superseded", "run_timeout", "internal", "state_lost"];
export const stages: readonly Exclude<TaskState["stage"], "pending">[] = ["approval", "requested", "assigned", "live", "backoff", "ended"];
export const endStatuses: readonly TerminalTaskStatus[] = ["skipped", "cancelled", "stopped", "success", "failed"];
export const stepPhases: readonly StepPhase[] = ["notstarted", "cancelled", "running", "stopped", "success", "failed"];
export const attemptPhases: readonly EndedAttempt["phase"][] = ["success", "failed", "stopped"];
export const skipCauses: readonly SkipCause["type"][] = ["condition", "skip", "stopped", "rejected"];
export const stopCauses: readonly StopCause[] = ["stopped", "run_timeout", "internal"];
export const attemptStops: readonly AttemptStop["why"][] = ["stopped", "run_timeout", "internal", "timeout", "start_timeout"];
export const withdrawals: readonly NonNullable<Requested["withdrawal"]>["why"][] = ["stopped", "run_timeout", "internal", "queue_timeout"];
export const attemptReasons: readonly AttemptReason[] = [
  "exit_code",
  "timeout",
  "oom",
  "executor_lost",
  "pod_lost",
  "evicted",
  "image",
  "image_permanent",
  "start_timeout",
  "setup",
  "config",
  "queue_timeout",
  "approval_timeout",
  "run_timeout",
  "stopped",
  "internal",
];

export function codeOf<Name extends string>(names: readonly Name[], name: Name): number {
  const code = names.indexOf(name);
  if (code < 0) throw new Error(`no code for ${name}`);
  return code;
}
