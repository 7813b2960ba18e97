import type { TaskView } from "../../runs/view.ts";
import { failureWord, lastAttempt, stepIn } from "../words.ts";

/** What there is to say of a task besides its status: the step it is in, what it waits for, why it failed. Empty if nothing. */
export function taskNote(task: TaskView): string {
  switch (task.status) {
    case "running":
      return runningNote(task);
    case "notstarted":
      return task.waitingReason?.message ?? "";
    case "skipped":
      return task.skipReason?.message ?? "";
    case "failed":
      return `${failureWord(task)}${task.ignoreFailure ? " (ignored)" : ""}`;
    case "stopped":
      return task.reason === null || task.reason === "stopped" ? "" : failureWord(task);
    default:
      return task.reusedFrom ? "kept" : "";
  }
}

function runningNote(task: TaskView): string {
  const retry = task.attempt > 1 ? `attempt ${task.attempt}, ` : "";
  if (task.waitingReason) return retry + task.waitingReason.message;
  const attempt = lastAttempt(task);
  const current = stepIn(attempt, "running");
  if (!current || !attempt) return retry.replace(", ", "");
  if (current.index === undefined) return `${retry}setting up`;
  return `${retry}${current.index + 1}/${attempt.steps.length} ${current.step.name}`;
}
