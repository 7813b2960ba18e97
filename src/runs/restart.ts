import type { Graph } from "./graph.ts";
import type { StepProgress } from "./outcome.ts";
import type { KeptTask } from "./stored-definition.ts";
import type { RestartPlan, RunView, StepView, TaskView } from "./view.ts";

/** Why a run cannot be restarted in that way; undefined if it can. Works on what is shown of a run, so also on one long archived. */
export function refuseRestart(run: Pick<RunView, "phase" | "result">, fromFailed: boolean): string | undefined {
  switch (run.phase) {
    case "setuperror":
      return "a run with setup errors cannot be restarted: correct it and create a new one";
    case "queued":
    case "running":
      return `the run is ${run.phase}: ${run.phase === "queued" ? "cancel" : "stop"} it, or wait for its end`;
    case "cancelled":
    case "finished":
      return fromFailed && run.result === "success" ? "the run was a success: restart it from scratch" : undefined;
  }
}

/** What a plan is made from: the graph of the definition, and the run as it is shown. */
export interface RestartInput {
  readonly graph: Graph;
  readonly run: Pick<RunView, "id" | "tasks">;
  readonly fromFailed: boolean;
  /** False for a task of which an archive that it saved is gone, or is about to go. */
  readonly hasArchives: (task: string) => boolean;
}

export interface PlannedRestart {
  readonly plan: RestartPlan;
  /** What the new run's stored definition says of the tasks it keeps. */
  readonly kept: Readonly<Record<string, KeptTask>>;
}

/**
 * From failed: every task that was not a success is recreated, and every descendant of a recreated one, whatever its status; also
 * one of which an archive is gone. From scratch: all are.
 */
export function planRestart({ graph, run, fromFailed, hasArchives }: RestartInput): PlannedRestart {
  const why: (string | undefined)[] = [];
  const plan: { recreate: RestartPlan["recreate"]; keep: RestartPlan["keep"] } = { recreate: [], keep: [] };
  const kept: Record<string, KeptTask> = {};
  for (const { index, name, parents } of graph.tasks) {
    const task = run.tasks[name];
    const recreatedParent = parents.find((parent) => why[parent.index] !== undefined);
    const parentName = recreatedParent && graph.tasks[recreatedParent.index]?.name;
    why[index] = fromFailed ? whyRecreated(name, { task, parentName, hasArchives }) : "the run is restarted from scratch";
    const reason = why[index];
    if (reason !== undefined) plan.recreate.push({ task: name, why: reason });
    else if (task) {
      kept[name] = keptTask(run.id, task);
      plan.keep.push({ task: name, from: kept[name].runId });
    }
  }
  return { plan, kept };
}

function whyRecreated(
  name: string,
  {
    task,
    parentName,
    hasArchives,
  }: { readonly task: TaskView | undefined; readonly parentName: string | undefined; readonly hasArchives: RestartInput["hasArchives"] },
): string | undefined {
  if (!task) return "it is not part of the run that is restarted";
  if (task.status !== "success") return statusWords[task.status];
  if (parentName !== undefined) return `it depends on "${parentName}", which runs again`;
  return hasArchives(name) ? undefined : "what it had saved to the workspace is no longer kept";
}

const statusWords: Readonly<Record<TaskView["status"], string>> = {
  notstarted: "it did not start",
  skipped: "it was skipped",
  cancelled: "it was cancelled",
  running: "it did not end",
  stopped: "it was stopped",
  success: "it was a success",
  failed: "it failed",
};

/** A task as it is shown, as a restart keeps it: its last attempt, of the run that really ran it. */
function keptTask(runId: string, task: TaskView): KeptTask {
  const attempt = task.attempts.at(-1);
  return {
    runId: task.reusedFrom?.runId ?? runId,
    attempt: task.attempt,
    finishedAt: msOf(task.finishedAt) ?? 0,
    ...(attempt?.executorId && { executor: attempt.executorId }),
    ...(task.startedAt && { startedAt: Date.parse(task.startedAt) }),
    ...(Object.keys(task.outputs).length > 0 && { outputs: task.outputs }),
    ...(attempt && { setup: progressOf(attempt.setup), steps: attempt.steps.map(progressOf) }),
  };
}

function progressOf({ phase, exitCode, startedAt, finishedAt, log }: StepView): StepProgress {
  return {
    phase,
    ...(exitCode !== null && { exitCode }),
    ...(startedAt !== null && { startedAt: Date.parse(startedAt) }),
    ...(finishedAt !== null && { finishedAt: Date.parse(finishedAt) }),
    logSize: log.size,
    logComplete: log.complete,
  };
}

function msOf(time: string | null): number | undefined {
  return time === null ? undefined : Date.parse(time);
}
