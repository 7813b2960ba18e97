import type { Run, StatusCounts } from "./run.ts";
import { type TaskStatus, TaskStatus as TaskStatuses } from "./states.ts";
import { timeOf } from "./time.ts";
import type { IndexRow, TaskCounts } from "./view.ts";

/** The run's row in the index of runs. */
export function indexRow({ stored, facts, head }: Pick<Run, "stored" | "facts" | "head">, counts: StatusCounts): IndexRow {
  return {
    runId: facts.id,
    number: facts.number,
    group: facts.group,
    name: facts.name,
    phase: head.phase,
    result: head.result,
    reason: head.reason ?? null,
    createdAt: timeOf(facts.createdAt),
    startedAt: timeOf(head.startedAt),
    finishedAt: timeOf(head.finishedAt),
    restartOf: stored.restart?.of ?? null,
    annotations: stored.definition.annotations ?? {},
    taskCounts: presentCounts(counts),
    ...(head.deletion && { deleted: true }),
  };
}

function presentCounts(counts: StatusCounts): TaskCounts {
  const present: Partial<Record<TaskStatus, number>> = {};
  for (const status of TaskStatuses.options) if (counts[status] > 0) present[status] = counts[status];
  return present;
}
