import type { RunView, TaskView } from "../runs/view.ts";
import { durationText, elapsedMs } from "./text/time.ts";
import { oneLine } from "./text/width.ts";
import { taskNote } from "./watch/task-note.ts";
import { byLevel } from "./watch/tree.ts";
import { failureWord, lastAttempt, reasonWord, runReasonWord, runWord, stateWord } from "./words.ts";

/** Why a run is as it is, for people: first what went wrong, then what waits (equal reasons together), then what moves. */
export function explainRun(run: RunView, reference: string, nowMs: number): readonly string[] {
  const elapsed = elapsedMs(run.startedAt, run.finishedAt, nowMs);
  const time = elapsed === undefined ? "" : ` ${run.finishedAt === null ? "for" : "after"} ${durationText(elapsed)}`;
  const because = run.reason ? `: ${runReasonWord(run.reason)}` : "";
  const names = Object.keys(run.tasks).toSorted(byLevel(run.tasks));
  return [
    `${reference}: ${runWord(run)}${time}${because}`,
    ...(run.quarantined ? ["  it is quarantined: ostler itself failed at it, see the server's log; stop it to end it"] : []),
    ...(run.phase === "queued" && run.waitingReason ? [`  ${oneLine(run.waitingReason.message)}`] : []),
    ...run.setupErrors.map((error) => `  ${oneLine(error)}`),
    ...section("failed", names, run, (task) => task.status === "failed"),
    ...section("waiting", names, run, (task) => task.waitingReason !== null && task.waitingReason.type !== "dependency"),
    ...section("running", names, run, (task) => task.status === "running" && task.waitingReason === null),
    ...section("skipped", names, run, (task) => task.status === "skipped"),
    ...section("stopped", names, run, (task) => task.status === "stopped"),
    ...count("waiting for other tasks", names, run, (task) => task.waitingReason?.type === "dependency"),
  ];
}

/** As many tasks of a kind as people read. */
const mostLines = 20;

function section(title: string, names: readonly string[], run: RunView, fits: (task: TaskView) => boolean): readonly string[] {
  const byNote = new Map<string, string[]>();
  for (const name of names) {
    const task = run.tasks[name];
    if (!task || !fits(task)) continue;
    const note = taskNote(task);
    const same = byNote.get(note);
    if (same) same.push(name);
    else byNote.set(note, [name]);
  }
  const lines = [...byNote].map(([note, same]) => `  ${title}: ${namesText(same)}${note === "" ? "" : `: ${oneLine(note)}`}`);
  return lines.length <= mostLines ? lines : [...lines.slice(0, mostLines), `  ${title}: ${lines.length - mostLines} more`];
}

function count(title: string, names: readonly string[], run: RunView, fits: (task: TaskView) => boolean): readonly string[] {
  const total = names.filter((name) => run.tasks[name] && fits(run.tasks[name])).length;
  return total === 0 ? [] : [`  ${title}: ${total}`];
}

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length <= 5 ? shown : `${shown} and ${names.length - 5} more`;
}

/** Why a task is as it is, followed by what that hangs on: the parents that it waits for or was skipped for, down to the cause. */
export function explainTask(run: RunView, name: string, nowMs: number): readonly string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  const queue = [name];
  for (let next = queue.shift(); next !== undefined && lines.length < 3 * mostLines; next = queue.shift()) {
    const task = run.tasks[next];
    if (!task || seen.has(next)) continue;
    seen.add(next);
    lines.push(...taskLines(next, task, nowMs));
    queue.push(...causesOf(task));
  }
  return lines;
}

function taskLines(name: string, task: TaskView, nowMs: number): readonly string[] {
  const elapsed = elapsedMs(task.startedAt, task.finishedAt, nowMs);
  const time = elapsed === undefined ? "" : ` ${task.finishedAt === null ? "for" : "after"} ${durationText(elapsed)}`;
  const state = task.waitingReason && task.status === "notstarted" ? "waiting" : `${stateWord(task.status)}${time}`;
  const note = taskNote(task);
  const executor = task.status === "running" && lastAttempt(task)?.executorId;
  const kept = task.reusedFrom ? [`  kept from run ${task.reusedFrom.runId}`] : [];
  const approval = task.waitingApproval ? ["  it starts once somebody approves it: ostler approve RUN/TASK"] : [];
  return [
    `${name}: ${state}${note === "" ? "" : `: ${oneLine(note)}`}${executor ? ` (on ${executor})` : ""}`,
    ...kept,
    ...approval,
    ...earlierAttempts(task),
  ];
}

function earlierAttempts(task: TaskView): readonly string[] {
  const earlier = task.attempts.filter((attempt) => attempt.number < task.attempt && attempt.phase === "failed");
  return earlier.map((attempt) => {
    const why = failureWord({ ...task, attempt: attempt.number, reason: attempt.reason, status: "failed" });
    const where = attempt.executorId === null ? "" : ` (on ${attempt.executorId})`;
    return `  attempt ${attempt.number} ended: ${oneLine(why || (attempt.reason ? reasonWord(attempt.reason) : "failed"))}${where}`;
  });
}

function causesOf(task: TaskView): readonly string[] {
  if (task.waitingReason?.type === "dependency") return task.waitingReason.tasks;
  return task.skipReason?.type === "condition" ? [task.skipReason.task] : [];
}
