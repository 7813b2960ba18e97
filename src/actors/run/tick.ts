import { assertNever } from "../../errors.ts";
import { runDeadline, taskDeadline } from "../../runs/deadlines.ts";
import { isTerminalPhase } from "../../runs/states.ts";
import type { Assigned, Live } from "../../runs/task.ts";
import { endAttempt, requestAgain } from "./attempt.ts";
import type { Draft } from "./draft.ts";
import { activeTasks, cancelQueued, giveUp, stopAttempt, stopRun, withdraw } from "./stop-tasks.ts";

/** Acts on every deadline that has passed. Late, early and repeated ticks are harmless: only `now` and the state count. */
export function tick(draft: Draft): void {
  if (isTerminalPhase(draft.head.phase)) return;
  const dueAt = runDeadline({ ...draft.run, head: draft.head });
  if (dueAt !== undefined && dueAt <= draft.now) runDue(draft);
  for (const index of activeTasks(draft)) {
    const at = taskDeadline(draft.node(index), draft.task(index));
    if (at !== undefined && at <= draft.now) taskDue(draft, index);
  }
}

/** Exactly when the run is due next, after everything else of a tick; Infinity if never. */
export function nextDue(draft: Draft): number {
  let next = runDeadline({ ...draft.run, head: draft.head }) ?? Number.POSITIVE_INFINITY;
  for (const index of new Set([...draft.run.index.active, ...draft.changedTasks])) {
    const at = taskDeadline(draft.node(index), draft.task(index));
    if (at !== undefined && at < next) next = at;
  }
  return next;
}

function runDue(draft: Draft): void {
  if (draft.head.quarantine) {
    giveUp(draft, "ostler");
    return;
  }
  if (draft.head.phase === "queued") {
    cancelQueued(draft, "queue_timeout");
    return;
  }
  draft.change({ timedOut: true, reason: "run_timeout" });
  stopRun(draft, { at: draft.now, by: "ostler", force: false, why: "run_timeout" });
}

function taskDue(draft: Draft, index: number): void {
  const task = draft.task(index);
  switch (task.stage) {
    case "approval":
      draft.set(index, { stage: "ended", status: "failed", finishedAt: draft.now, attempts: [], reason: "approval_timeout" });
      break;
    case "requested":
      withdraw(draft, index, { task, why: task.withdrawal?.why ?? "queue_timeout" });
      break;
    case "assigned":
    case "live":
      if (task.stop) abandon(draft, index, task);
      else stopAttempt(draft, index, task.stage === "live" ? "timeout" : "start_timeout");
      break;
    case "backoff":
      requestAgain(draft, index, task);
      break;
    case "pending":
    case "ended":
      break;
    default:
      assertNever(task);
  }
}

/** The platform did not carry a stop out: the attempt ends without proof that its pod is gone, which the siblings go on to look after. */
function abandon(draft: Draft, index: number, task: Assigned | Live): void {
  const message = "the platform did not confirm in time that the pod was stopped";
  const outcome = { phase: "failed", reason: "pod_lost", message, finishedAt: draft.now, ranStep: task.stage === "live" } as const;
  endAttempt(draft, { index, task }, { outcome, isProven: false });
}
