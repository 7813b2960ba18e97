import type { TaskView } from "../../runs/view.ts";

type Task = Pick<TaskView, "status" | "ignoreFailure" | "waitingApproval" | "waitingReason" | "startedAt" | "finishedAt">;

/** What a person looks for first where not everything fits: what went wrong, what wants something of them, what moves. */
function importance(task: Task): number {
  if (task.status === "failed") return task.ignoreFailure ? 3 : 0;
  if (task.waitingApproval) return 1;
  if (task.status === "running") return 2;
  if (task.status === "notstarted") return task.waitingReason === null || task.waitingReason.type === "dependency" ? 6 : 4;
  return 5;
}

/** The `limit` tasks that matter most, in the order of `names`; of the finished ones the latest. */
export function selectTasks(tasks: Readonly<Record<string, Task>>, names: readonly string[], limit: number): readonly string[] {
  if (names.length <= limit) return names;
  const ranked = names.flatMap((name, position) => {
    const task = tasks[name];
    return task ? [{ position, importance: importance(task), finishedAt: task.finishedAt ?? "" }] : [];
  });
  const later = (a: string, b: string) => (a === b ? 0 : a > b ? -1 : 1);
  ranked.sort((a, b) => a.importance - b.importance || later(a.finishedAt, b.finishedAt) || a.position - b.position);
  const chosen = new Set(ranked.slice(0, Math.max(0, limit)).map(({ position }) => position));
  return names.filter((_, position) => chosen.has(position));
}
