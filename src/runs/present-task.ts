import { assertNever } from "../errors.ts";
import type { TaskDefinition } from "./definition.ts";
import type { TaskNode } from "./graph.ts";
import type { StepProgress } from "./outcome.ts";
import type { Run } from "./run.ts";
import type { KeptTask } from "./stored-definition.ts";
import { attemptNumber, type EndedAttempt, type SkipCause, statusOf, type TaskState } from "./task.ts";
import { timeOf } from "./time.ts";
import type { AttemptView, SkipReason, StepView, TaskView } from "./view.ts";
import { whyTaskWaits } from "./waiting.ts";
import type { WaitingContext } from "./waiting-context.ts";

/** A name that is made of a command is a hint, not the command. */
const maxStepName = 60;

/** A task as every answer shows it. */
export function presentTask(run: Run, node: TaskNode, context: WaitingContext): TaskView {
  const task = run.tasks[node.index] ?? { stage: "pending" };
  const kept = task.stage === "ended" && task.kept ? run.stored.restart?.kept[node.name] : undefined;
  const attempts = kept ? [presentKept(node.definition, kept)] : presentAttempts(node.definition, task);
  const ended = task.stage === "ended" ? task : undefined;
  const approval = "approval" in task ? task.approval : undefined;
  return {
    status: statusOf(task),
    level: node.level,
    depends: Object.fromEntries(node.parents.map(({ index, conditions }) => [run.graph.tasks[index]?.name ?? "", [...conditions]])),
    attempt: kept?.attempt ?? attemptNumber(task),
    attempts,
    waitingApproval: task.stage === "approval",
    approval: approval ? { by: approval.by, at: timeOf(approval.at), message: approval.message ?? null } : null,
    waitingReason: whyTaskWaits(run, node, context),
    skipReason: ended?.skip ? presentSkip(run, ended.skip) : null,
    reason: ended?.reason ?? null,
    timedOut: ended?.reason === "timeout",
    ignoreFailure: node.ignoreFailure,
    outputs: { ...(kept ? kept.outputs : ended?.outputs) },
    startedAt: attempts.find(({ startedAt }) => startedAt !== null)?.startedAt ?? null,
    finishedAt: timeOf(ended?.finishedAt),
    reusedFrom: kept ? { runId: kept.runId } : null,
  };
}

function presentAttempts(definition: TaskDefinition, task: TaskState): AttemptView[] {
  if (!("attempts" in task)) return [];
  const isDeleted = task.stage === "ended" && task.logsDeleted === true;
  const ended = task.attempts.map((attempt, index) => presentEnded(definition, attempt, { number: index + 1, isDeleted }));
  const current = presentCurrent(definition, task);
  return current ? [...ended, current] : ended;
}

/** The attempt that is under way, from the moment the pool is asked. */
function presentCurrent(definition: TaskDefinition, task: Exclude<TaskState, { stage: "pending" | "approval" }>): AttemptView | undefined {
  if (task.stage !== "requested" && task.stage !== "assigned" && task.stage !== "live") return undefined;
  const placed = task.stage === "requested" ? undefined : task;
  return {
    number: task.attempts.length + 1,
    executorId: placed?.executor ?? null,
    phase: task.stage === "live" ? "running" : "notstarted",
    reason: null,
    exitCode: null,
    message: task.stage === "assigned" ? (task.message ?? null) : null,
    queuedAt: timeOf(task.queuedAt),
    assignedAt: timeOf(placed?.assignedAt),
    startedAt: timeOf(task.stage === "live" ? task.startedAt : undefined),
    finishedAt: null,
    setup: presentSetup(placed?.setup, false),
    steps: presentSteps(definition, task.stage === "live" ? task.steps : [], false),
  };
}

function presentEnded(
  definition: TaskDefinition,
  attempt: EndedAttempt,
  { number, isDeleted }: { readonly number: number; readonly isDeleted: boolean },
): AttemptView {
  return {
    number,
    executorId: attempt.executor ?? null,
    phase: attempt.phase,
    reason: attempt.reason ?? null,
    exitCode: attempt.exitCode ?? null,
    message: attempt.message ?? null,
    queuedAt: timeOf(attempt.queuedAt),
    assignedAt: timeOf(attempt.assignedAt),
    startedAt: timeOf(attempt.startedAt),
    finishedAt: timeOf(attempt.finishedAt),
    setup: presentSetup(attempt.setup, isDeleted),
    steps: presentSteps(definition, attempt.steps ?? [], isDeleted),
  };
}

/** The attempt of the original run that made a kept task a success. Whether its logs are still there, only that run knows. */
function presentKept(definition: TaskDefinition, kept: KeptTask): AttemptView {
  return {
    number: kept.attempt,
    executorId: kept.executor ?? null,
    phase: "success",
    reason: null,
    exitCode: null,
    message: null,
    queuedAt: null,
    assignedAt: null,
    startedAt: timeOf(kept.startedAt),
    finishedAt: timeOf(kept.finishedAt),
    setup: presentSetup(kept.setup, false),
    steps: presentSteps(definition, kept.steps ?? [], false),
  };
}

function presentSetup(progress: StepProgress | undefined, isDeleted: boolean): StepView {
  return presentStep({ name: "setup", type: "setup" }, progress, isDeleted);
}

/** One for each step of the definition; one that nobody has reported has not started. */
function presentSteps(definition: TaskDefinition, progress: readonly StepProgress[], isDeleted: boolean): StepView[] {
  return (definition.steps ?? []).map((step, index) => {
    const name = ("name" in step ? step.name : undefined) ?? (step.type === "run" ? firstLine(step.command) : step.type);
    return presentStep({ name, type: step.type }, progress[index], isDeleted);
  });
}

function presentStep(what: Pick<StepView, "name" | "type">, progress: StepProgress | undefined, isDeleted: boolean): StepView {
  return {
    ...what,
    phase: progress?.phase ?? "notstarted",
    exitCode: progress?.exitCode ?? null,
    startedAt: timeOf(progress?.startedAt),
    finishedAt: timeOf(progress?.finishedAt),
    log: { size: progress?.logSize ?? 0, complete: progress?.logComplete ?? false, deleted: isDeleted },
  };
}

function firstLine(command: string): string {
  const line = command.trim().split("\n", 1)[0] ?? "";
  return line.length > maxStepName ? `${line.slice(0, maxStepName - 1)}…` : line;
}

function presentSkip({ graph, tasks }: Run, skip: SkipCause): SkipReason {
  switch (skip.type) {
    case "condition": {
      const name = graph.tasks[skip.parent]?.name ?? "";
      return { type: "condition", message: `"${name}" ended as ${statusOf(tasks[skip.parent] ?? { stage: "pending" })}`, task: name };
    }
    case "skip":
      return { type: "skip", message: "the definition says so" };
    case "stopped":
      return { type: "stopped", message: "the run was stopped" };
    case "rejected":
      return { type: "rejected", message: "its approval was refused" };
    default:
      return assertNever(skip);
  }
}
