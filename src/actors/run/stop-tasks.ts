import { assertNever } from "../../errors.ts";
import { outlives } from "../../runs/advance.ts";
import type { RunStop } from "../../runs/run.ts";
import { type AttemptStop, hasRun, type Requested, type StopCause } from "../../runs/task.ts";
import type { Draft } from "./draft.ts";
import { mailToPool } from "./mail.ts";
import { end } from "./settle.ts";

/** Every task that has not been decided is cancelled with its run. */
export function cancelQueued(draft: Draft, reason: "requested" | "queue_timeout" | "superseded" | "internal"): void {
  for (const { index } of draft.graph.tasks) {
    if (draft.task(index).stage !== "pending") continue;
    draft.set(index, { stage: "ended", status: "cancelled", finishedAt: draft.now, attempts: [] });
  }
  end(draft, { phase: "cancelled", reason });
}

/**
 * Begins to end a running run, or adds force to a stop. Tasks without a live assignment end at once, those that the pool was
 * asked for with its answer, and live assignments with their report. Pending tasks are left to `settle`.
 */
export function stopRun(draft: Draft, runStop: RunStop): void {
  draft.change({ stop: runStop });
  for (const index of activeTasks(draft)) {
    if (!outlives(draft.node(index), runStop)) stopTask(draft, index, runStop.why);
  }
}

/** Ends what a task is doing; whatever waits for an answer ends with that. */
export function stopTask(draft: Draft, index: number, why: StopCause): void {
  const task = draft.task(index);
  switch (task.stage) {
    case "approval":
    case "backoff":
      endIdle(draft, index, why);
      break;
    case "requested":
      withdraw(draft, index, { task, why });
      break;
    case "assigned":
    case "live":
      stopAttempt(draft, index, why);
      break;
    case "pending":
    case "ended":
      break;
    default:
      assertNever(task);
  }
}

/** Takes a request back. Repeating it is safe: the pool answers each. */
export function withdraw(
  draft: Draft,
  index: number,
  { task, why }: { readonly task: Requested; readonly why: StopCause | "queue_timeout" },
): void {
  draft.set(index, { ...task, withdrawal: { at: draft.now, why } });
  const { pool } = draft.node(index);
  draft.effect(mailToPool(pool, { type: "withdraw", run: draft.run.facts.id, task: index, attempt: task.attempts.length + 1 }));
}

/**
 * Tells the executor to end the attempt. One that is being ended because it took too long is not told again, but no longer
 * retried once its run is being ended.
 */
export function stopAttempt(draft: Draft, index: number, why: AttemptStop["why"]): void {
  const task = draft.task(index);
  if (task.stage !== "assigned" && task.stage !== "live") return;
  draft.set(index, { ...task, stop: { at: task.stop?.at ?? draft.now, why } });
  if (!task.stop) draft.effect({ type: "stop-assignment", executor: task.executor, assignment: task.assignment });
}

/** Ends a task that has no live assignment because its run is being ended. */
export function endIdle(draft: Draft, index: number, why: StopCause): void {
  const task = draft.task(index);
  const attempts = "attempts" in task ? task.attempts : [];
  const approval = "approval" in task ? task.approval : undefined;
  const ended = { stage: "ended", finishedAt: draft.now, attempts, ...(approval && { approval }) } as const;
  if (hasRun(attempts)) draft.set(index, { ...ended, status: "stopped", reason: why });
  else draft.set(index, { ...ended, status: "skipped", skip: { type: "stopped" } });
}

/** Tasks in a stage in which somebody owes an answer, or a deadline is set, ascending. */
export function activeTasks(draft: Draft): readonly number[] {
  return [...draft.run.index.active].sort((a, b) => a - b);
}

/** Fails a quarantined run; one that never started is cancelled. */
export function giveUp(draft: Draft, by: string, requestId?: string): void {
  if (draft.head.phase === "queued") {
    cancelQueued(draft, "internal");
    return;
  }
  draft.change({ reason: "internal" });
  stopRun(draft, { at: draft.now, by, force: true, why: "internal", ...(requestId !== undefined && { requestId }) });
}
