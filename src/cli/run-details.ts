import type { RunView, TaskView } from "../runs/view.ts";
import { referenceOf } from "./reference-text.ts";
import { type Column, tableLines } from "./text/table.ts";
import { durationText, elapsedMs } from "./text/time.ts";
import { oneLine, pad } from "./text/width.ts";
import { taskNote } from "./watch/task-note.ts";
import { byLevel } from "./watch/tree.ts";
import { lastAttempt, runReasonWord, runWord, stateWord } from "./words.ts";

export interface DetailsInput {
  readonly run: RunView;
  readonly nowMs: number;
  /** Of the terminal; undefined cuts nothing. */
  readonly width: number | undefined;
}

/** A run in full: its own facts, then its tasks as a table. */
export function runDetails({ run, nowMs, width }: DetailsInput): readonly string[] {
  const elapsed = elapsedMs(run.startedAt, run.finishedAt, nowMs);
  const facts: readonly (readonly [string, string | null])[] = [
    ["run", `${referenceOf(run)}  ${run.name}`],
    ["id", run.id],
    ["group", run.group],
    ["state", `${runWord(run)}${run.reason ? `: ${runReasonWord(run.reason)}` : ""}`],
    ["waits", run.phase === "queued" ? (run.waitingReason?.message ?? null) : null],
    ["created", run.createdAt],
    ["started", run.startedAt],
    ["finished", run.finishedAt],
    ["took", elapsed === undefined ? null : durationText(elapsed)],
    ["restart of", run.restartOf],
    ...Object.entries(run.annotations).map(([key, value]) => [`@${key}`, value] as const),
    ...run.setupErrors.map((error) => ["setup error", error] as const),
  ];
  const shown = facts.flatMap(([name, value]) => (value === null ? [] : [`${pad(name, 12)}${oneLine(value)}`]));
  const names = Object.keys(run.tasks).toSorted(byLevel(run.tasks));
  const rows = names.flatMap((name) => (run.tasks[name] ? [{ name, task: run.tasks[name] }] : []));
  return rows.length === 0 ? shown : [...shown, "", ...tableLines(columns(nowMs), rows, width)];
}

interface Row {
  readonly name: string;
  readonly task: TaskView;
}

function columns(nowMs: number): readonly Column<Row>[] {
  return [
    { title: "TASK", text: ({ name }) => name },
    { title: "STATUS", text: ({ task }) => stateWord(task.status) },
    { title: "ATTEMPT", text: ({ task }) => (task.attempt === 0 ? "" : String(task.attempt)) },
    {
      title: "TOOK",
      text: ({ task }) => {
        const ms = elapsedMs(task.startedAt, task.finishedAt, nowMs);
        return ms === undefined ? "" : durationText(ms);
      },
    },
    { title: "EXECUTOR", text: ({ task }) => lastAttempt(task)?.executorId ?? "" },
    { title: "NOTE", text: ({ task }) => taskNote(task) },
  ];
}
