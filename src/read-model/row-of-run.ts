import type { StoredDefinition } from "../runs/stored-definition.ts";
import type { IndexRow, RunView, TaskCounts } from "../runs/view.ts";

export function countTasks(run: Pick<RunView, "tasks">): TaskCounts {
  const counts: TaskCounts = {};
  for (const { status } of Object.values(run.tasks)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The row of a run as it is shown. */
export function rowOfRun(run: RunView): IndexRow {
  const { id, number, group, name, phase, result, reason, createdAt, startedAt, finishedAt, restartOf, annotations, archived } = run;
  return {
    runId: id,
    number,
    group,
    name,
    phase,
    result,
    reason,
    createdAt,
    startedAt,
    finishedAt,
    restartOf,
    annotations,
    taskCounts: countTasks(run),
    archived,
  };
}

/** The row of a run of which only the definition is left: Redis has forgotten it before it was archived. */
export function rowOfLostRun({ runId, number, group, createdAt, definition, restart }: StoredDefinition): IndexRow {
  return {
    runId,
    number: number ?? 0,
    group,
    name: definition.name,
    phase: "finished",
    result: "failed",
    reason: "state_lost",
    createdAt: new Date(createdAt).toISOString(),
    startedAt: null,
    finishedAt: null,
    restartOf: restart?.of ?? null,
    annotations: definition.annotations ?? {},
    archived: true,
  };
}
