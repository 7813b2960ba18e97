import type { Requested } from "../../runs/task.ts";
import { retryOrEnd } from "./attempt.ts";
import type { Draft } from "./draft.ts";
import type { RunMessageOf } from "./messages.ts";
import { endIdle, stopAttempt } from "./stop-tasks.ts";

/** The task whose request, with this number, the pool still owes an answer to; undefined for an answer that came before. */
function findRequested(draft: Draft, { task: index, attempt }: { readonly task: number; readonly attempt: number }): Requested | undefined {
  if (index < 0 || index >= draft.graph.tasks.length) return undefined;
  const task = draft.task(index);
  return task.stage === "requested" && task.attempts.length + 1 === attempt ? task : undefined;
}

/**
 * The pool has placed the task. If the request had been taken back meanwhile, the placement is told to stop;
 * one that is neither the task's current assignment nor asked for (repeated late, or of another history) must not run.
 */
export function assigned(draft: Draft, message: RunMessageOf<"assigned">): void {
  const { task: index, assignment, executor } = message;
  const task = findRequested(draft, message);
  if (!task) {
    if (!isCurrent(draft, message)) draft.effect({ type: "stop-assignment", executor, assignment });
    return;
  }
  const { attempts, approval, queuedAt, withdrawal } = task;
  draft.set(index, { stage: "assigned", attempts, ...(approval && { approval }), assignment, executor, queuedAt, assignedAt: draft.now });
  if (withdrawal && withdrawal.why !== "queue_timeout") stopAttempt(draft, index, withdrawal.why);
}

function isCurrent(draft: Draft, { task: index, assignment }: RunMessageOf<"assigned">): boolean {
  if (index < 0 || index >= draft.graph.tasks.length) return false;
  const task = draft.task(index);
  return (task.stage === "assigned" || task.stage === "live") && task.assignment === assignment;
}

/** The pool has let go of a request that was taken back. */
export function withdrawn(draft: Draft, message: RunMessageOf<"withdrawn">): void {
  const task = findRequested(draft, message);
  if (!task?.withdrawal) return;
  if (task.withdrawal.why === "queue_timeout") failInQueue(draft, message.task, task);
  else endIdle(draft, message.task, task.withdrawal.why);
}

/** No executor took the task in time. */
export function queueTimeout(draft: Draft, message: RunMessageOf<"queue-timeout">): void {
  const task = findRequested(draft, message);
  if (!task) return;
  if (task.withdrawal && task.withdrawal.why !== "queue_timeout") endIdle(draft, message.task, task.withdrawal.why);
  else failInQueue(draft, message.task, task);
}

function failInQueue(draft: Draft, index: number, task: Requested): void {
  const { queuedAt } = task;
  const attempt = { phase: "failed", reason: "queue_timeout", queuedAt, finishedAt: draft.now, ranStep: false } as const;
  draft.attemptEvent(index, { number: task.attempts.length + 1, phase: "failed", reason: "queue_timeout" });
  retryOrEnd(draft, index, { task, attempt, mayRetry: false });
}
