import { parseAssignmentId } from "../../ids.ts";
import { outlives } from "../../runs/advance.ts";
import type { AttemptOutcome, StepProgress } from "../../runs/outcome.ts";
import type { Assigned, Ended, EndedAttempt, Live, Requested, TaskState } from "../../runs/task.ts";
import { conclude, isInfrastructure, retryDelayMs } from "../../runs/verdict.ts";
import type { Draft } from "./draft.ts";
import { mailToPool, requestExecutor } from "./mail.ts";
import type { RunMessageOf } from "./messages.ts";

/** A task with the assignment that is its current one. */
interface Held {
  readonly index: number;
  readonly task: Assigned | Live;
}

/** The task of which this is the live assignment; undefined for an earlier assignment, or one of another history. */
export function findHeld(draft: Draft, assignment: string): Held | undefined {
  const parts = parseAssignmentId(assignment);
  if (!parts || parts.runId !== draft.run.facts.id || parts.task >= draft.graph.tasks.length) return undefined;
  const task = draft.task(parts.task);
  if (task.stage !== "assigned" && task.stage !== "live") return undefined;
  return task.assignment === assignment ? { index: parts.task, task } : undefined;
}

/** The pod runs. Repeated or late: the task is `live` by then, or has another assignment. */
export function attemptStarted(draft: Draft, message: RunMessageOf<"attempt-started">): void {
  const held = findHeld(draft, message.assignment);
  if (held?.task.stage === "assigned") begin(draft, { index: held.index, task: held.task }, message.at);
}

function begin(draft: Draft, { index, task }: { readonly index: number; readonly task: Assigned }, at: number): Live {
  const { message: _, stage: __, ...placed } = task;
  const live: Live = { ...placed, stage: "live", startedAt: clamp(at, task.assignedAt, draft.now), steps: [] };
  draft.set(index, live);
  draft.attemptEvent(index, { number: task.attempts.length + 1, phase: "running", reason: undefined });
  return live;
}

/** What the executor sees of its attempt; the newest counts. */
export function attemptProgress(draft: Draft, message: RunMessageOf<"attempt-progress">): void {
  const held = findHeld(draft, message.assignment);
  if (!held) return;
  const { index, task } = held;
  const { setup, steps, message: words } = message;
  if (task.stage === "live") draft.set(index, { ...task, setup, steps });
  else draft.set(index, { ...task, setup, ...(words !== undefined && { message: words }) });
}

/** The pod is gone and will not come back: the attempt ends, and the task is retried or ends with it. */
export function attemptEnded(draft: Draft, message: RunMessageOf<"attempt-ended">): void {
  const held = findHeld(draft, message.assignment);
  if (held) endAttempt(draft, held, { outcome: message.outcome, isProven: true });
  else settleStray(draft, message);
}

/**
 * Ends the live attempt of a task. Without proof that its pod is gone it is never retried: a retry must not run beside the pod
 * that it replaces.
 */
export function endAttempt(draft: Draft, held: Held, end: { readonly outcome: AttemptOutcome; readonly isProven: boolean }): void {
  const { outcome, isProven } = end;
  const { index } = held;
  const task = beginUnseen(draft, held, outcome);
  const attempt = endedAttempt(task, { outcome, now: draft.now });
  draft.effect({ type: "settle-assignment", executor: task.executor, assignment: task.assignment });
  draft.effect(
    mailToPool(draft.node(index).pool, { type: "release", assignment: task.assignment, executor: task.executor, ...blame(attempt) }),
  );
  draft.attemptEvent(index, { number: task.attempts.length + 1, phase: attempt.phase, reason: attempt.reason });
  retryOrEnd(draft, index, { task, attempt, mayRetry: isProven && !isBeingStopped(draft, index), outputs: outcome.outputs });
}

/** An attempt whose beginning was never reported, but of which the end says that it had one. */
function beginUnseen(draft: Draft, { index, task }: Held, outcome: AttemptOutcome): Assigned | Live {
  if (task.stage === "live") return task;
  const hasBegun = outcome.startedAt !== undefined || outcome.ranStep || outcome.phase === "success";
  return hasBegun ? begin(draft, { index, task }, outcome.startedAt ?? task.assignedAt) : task;
}

function endedAttempt(task: Assigned | Live, { outcome, now }: { readonly outcome: AttemptOutcome; readonly now: number }): EndedAttempt {
  const startedAt = task.stage === "live" ? task.startedAt : undefined;
  const finishedAt = clamp(outcome.finishedAt, startedAt ?? task.assignedAt, now);
  const { phase, reason } = conclude(outcome, task.stop);
  // Where nobody is left to report, the last progress is what is known, and nothing of it runs any more.
  const close = (step: StepProgress): StepProgress => (step.phase === "running" ? { ...step, phase, finishedAt } : step);
  const setup = outcome.setup ?? task.setup;
  const steps = outcome.steps ?? (task.stage === "live" ? task.steps : []);
  return {
    phase,
    ...(reason && { reason }),
    executor: task.executor,
    queuedAt: task.queuedAt,
    assignedAt: task.assignedAt,
    ...(startedAt !== undefined && { startedAt }),
    finishedAt,
    ranStep: hasRunStep(task, outcome),
    ...(outcome.message !== undefined && { message: outcome.message }),
    ...(outcome.exitCode !== undefined && { exitCode: outcome.exitCode }),
    ...(setup && { setup: close(setup) }),
    ...(steps.length > 0 && { steps: steps.map(close) }),
  };
}

/** Of a lost executor only its reports are left: once its pod ran, a step may have begun, so the attempt costs budget. */
function hasRunStep(task: Assigned | Live, { ranStep, reason }: AttemptOutcome): boolean {
  return ranStep || (reason === "executor_lost" && task.stage === "live");
}

interface Verdict {
  readonly task: Requested | Assigned | Live;
  readonly attempt: EndedAttempt;
  readonly mayRetry: boolean;
  readonly outputs?: Readonly<Record<string, string>> | undefined;
}

/** Retries a task after an attempt, at once or after its back-off, or ends it as the attempt did. */
export function retryOrEnd(draft: Draft, index: number, { task, attempt, mayRetry, outputs }: Verdict): void {
  const attempts = [...task.attempts, attempt];
  const begun = { attempts, ...(task.approval && { approval: task.approval }) };
  const delayMs = mayRetry ? retryDelayMs(draft.node(index), attempts) : undefined;
  if (delayMs === undefined) draft.set(index, endedAs(attempt, begun, outputs ?? {}));
  else if (delayMs > 0) draft.set(index, { ...begun, stage: "backoff", until: draft.now + delayMs });
  else requestAgain(draft, index, begun);
}

/** The end of a task as its last attempt ended. */
function endedAs(attempt: EndedAttempt, begun: Pick<Ended, "attempts" | "approval">, outputs: Readonly<Record<string, string>>): Ended {
  return {
    ...begun,
    stage: "ended",
    status: attempt.phase,
    finishedAt: attempt.finishedAt,
    ...(attempt.reason && { reason: attempt.reason }),
    ...(Object.keys(outputs).length > 0 && { outputs }),
  };
}

/** Asks the pool for the next attempt's executor. */
export function requestAgain(draft: Draft, index: number, begun: Pick<Ended, "attempts" | "approval">): void {
  const { attempts, approval } = begun;
  draft.set(index, { stage: "requested", attempts, ...(approval && { approval }), queuedAt: draft.now });
  requestExecutor(draft, index);
}

/** True for a task that is to end, whatever comes of its attempt. */
function isBeingStopped(draft: Draft, index: number): boolean {
  if (draft.head.quarantine) return true;
  return draft.stop !== undefined && !outlives(draft.node(index), draft.stop);
}

/**
 * The end of an assignment that is not its task's current one: whatever still lists it lets go of it, so that nothing leaks.
 * The executor is the sender, or the one of the attempt with that number.
 */
function settleStray(draft: Draft, { assignment, executor, pool }: RunMessageOf<"attempt-ended">): void {
  const parts = parseAssignmentId(assignment);
  const node = parts && draft.graph.tasks[parts.task];
  const past = node && attemptsOf(draft.task(node.index))[(parts?.attempt ?? 0) - 1];
  const holder = executor ?? past?.executor;
  if (holder === undefined) return;
  draft.effect({ type: "settle-assignment", executor: holder, assignment });
  const holderPool = pool ?? node?.pool;
  if (holderPool !== undefined) draft.effect(mailToPool(holderPool, { type: "release", assignment, executor: holder }));
}

function attemptsOf(task: TaskState): readonly EndedAttempt[] {
  return "attempts" in task ? task.attempts : [];
}

/** What the pool learns of the executor from an end: nothing, if it was a stop or a time-out. */
function blame({ phase, reason }: EndedAttempt): { readonly infrastructureFailure?: boolean } {
  if (isInfrastructure(reason)) return { infrastructureFailure: true };
  return phase === "success" || reason === "exit_code" ? { infrastructureFailure: false } : {};
}

function clamp(at: number, least: number, most: number): number {
  return Math.max(least, Math.min(at, most));
}
