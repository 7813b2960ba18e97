import { isTerminalStatus } from "../../runs/states.ts";
import type { RunEvent, RunView } from "../../runs/view.ts";
import { oneLine } from "../text/width.ts";
import { reasonWord, runWord, stateWord } from "../words.ts";
import { taskNote } from "./task-note.ts";

/**
 * One line per change, for pipes and logs: time, what, state, and why where there is something to say. Two blanks apart,
 * so that a program can split them; `note` is looked up in the newest view of the run.
 */
export function changeLine(at: string, what: string, state: string, note = ""): string {
  return [at, what, state, oneLine(note)].filter((part) => part !== "").join("  ");
}

/** The line of an event; undefined for what the task's own line says as well (a first attempt, one that was not retried). */
export function lineOfEvent(event: RunEvent, run: RunView | undefined): string | undefined {
  switch (event.type) {
    case "run":
      return changeLine(event.at, "run", runWord(event), event.phase === "setuperror" ? run?.setupErrors.join("; ") : "");
    case "task":
      return changeLine(event.at, event.task, stateWord(event.status), noteOf(event, run));
    case "attempt": {
      const task = run?.tasks[event.task];
      // The view is as new as the event: a task that goes on after its attempt's end is retried.
      const isRetried = task !== undefined && (task.attempt > event.attempt || !isTerminalStatus(task.status));
      if (event.phase === "running") return event.attempt > 1 ? changeLine(event.at, event.task, `attempt ${event.attempt}`) : undefined;
      if (!isRetried || event.phase === "notstarted") return undefined;
      const why = event.reason ? `: ${reasonWord(event.reason)}` : "";
      return changeLine(event.at, event.task, `attempt ${event.attempt} ${event.phase}${why}`);
    }
    default:
      // A kind of event that a newer server knows.
      return undefined;
  }
}

/** The view may be ahead of an event, but a task that has ended stays as it is. */
function noteOf(event: Extract<RunEvent, { type: "task" }>, run: RunView | undefined): string {
  if (event.status === "running") return "";
  const task = run?.tasks[event.task];
  return (task && taskNote(task)) || (event.reason ?? "");
}
