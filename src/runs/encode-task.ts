import { assertNever } from "../errors.ts";
import type { StepProgress } from "./outcome.ts";
import {
  attemptPhases,
  attemptReasons,
  attemptStops,
  codeOf,
  endStatuses,
  skipCauses,
  stages,
  stepPhases,
  withdrawals,
} from "./record-codes.ts";
import { type Cell, row } from "./record-row.ts";
import type { ActiveTask, Approval, AttemptStop, Ended, EndedAttempt, SkipCause } from "./task.ts";

/** A task's state as a row of JSON, times as distances from `createdAt` (ms). A pending task has no record. */
export function encodeTask(task: ActiveTask | Ended, createdAt: number): Cell {
  const since = (at: number) => at - createdAt;
  const stage = codeOf(stages, task.stage);
  if (task.stage === "approval") return row(stage, since(task.since));
  const attempts = listOf(task.attempts, (attempt) => encodeAttempt(attempt, createdAt));
  const approval = task.approval && encodeApproval(task.approval, createdAt);
  switch (task.stage) {
    case "requested": {
      const withdrawal = task.withdrawal && row(since(task.withdrawal.at), codeOf(withdrawals, task.withdrawal.why));
      return row(stage, attempts, approval, since(task.queuedAt), withdrawal);
    }
    case "assigned":
    case "live": {
      const { assignment, executor, assignedAt, queuedAt } = task;
      const stop = task.stop && encodeStop(task.stop, createdAt);
      const setup = task.setup && encodeStep(task.setup, createdAt);
      const common = [stage, attempts, approval, since(queuedAt), stop, since(assignedAt), assignment, executor, setup] as const;
      if (task.stage === "assigned") return row(...common, task.message);
      return row(
        ...common,
        since(task.startedAt),
        listOf(task.steps, (step) => encodeStep(step, createdAt)),
      );
    }
    case "backoff":
      return row(stage, attempts, approval, since(task.until));
    case "ended":
      return row(
        stage,
        attempts,
        approval,
        since(task.finishedAt),
        codeOf(endStatuses, task.status),
        task.reason && codeOf(attemptReasons, task.reason),
        task.skip && encodeSkip(task.skip),
        task.outputs,
        task.kept && 1,
        task.logsDeleted && 1,
      );
    default:
      return assertNever(task);
  }
}

function encodeAttempt(attempt: EndedAttempt, createdAt: number): Cell {
  const since = (at: number | undefined) => (at === undefined ? undefined : at - createdAt);
  return row(
    codeOf(attemptPhases, attempt.phase),
    since(attempt.queuedAt),
    since(attempt.assignedAt),
    since(attempt.startedAt),
    since(attempt.finishedAt),
    attempt.ranStep ? 1 : 0,
    attempt.executor,
    attempt.reason && codeOf(attemptReasons, attempt.reason),
    attempt.exitCode,
    attempt.message,
    attempt.setup && encodeStep(attempt.setup, createdAt),
    listOf(attempt.steps ?? [], (step) => encodeStep(step, createdAt)),
  );
}

function encodeStep(step: StepProgress, createdAt: number): Cell {
  const since = (at: number | undefined) => (at === undefined ? undefined : at - createdAt);
  const isComplete = step.logComplete === undefined ? undefined : Number(step.logComplete);
  return row(codeOf(stepPhases, step.phase), since(step.startedAt), since(step.finishedAt), step.exitCode, step.logSize, isComplete);
}

function encodeApproval({ at, by, message, requestId }: Approval, createdAt: number): Cell {
  return row(at - createdAt, by, message, requestId);
}

function encodeStop({ at, why }: AttemptStop, createdAt: number): Cell {
  return row(at - createdAt, codeOf(attemptStops, why));
}

function encodeSkip(skip: SkipCause): Cell {
  return row(codeOf(skipCauses, skip.type), skip.type === "condition" ? skip.parent : undefined);
}

function listOf<Item>(items: readonly Item[], encode: (item: Item) => Cell): readonly Cell[] | undefined {
  return items.length > 0 ? items.map(encode) : undefined;
}
