import type { RunView, TaskView } from "../../runs/view.ts";
import { quoted } from "../reference-text.ts";
import type { Paint } from "../text/colour.ts";
import { durationText, elapsedMs } from "../text/time.ts";
import { oneLine, pad, truncate, widthOf } from "../text/width.ts";
import { runReasonWord, runWord, stateWord } from "../words.ts";
import { selectTasks } from "./select-tasks.ts";
import { symbolOf } from "./symbol.ts";
import { taskNote } from "./task-note.ts";
import { byLevel, treeRows } from "./tree.ts";

/** What a frame is drawn from, and where. */
export interface FrameInput {
  readonly run: RunView;
  /** How to name the run in a command. */
  readonly reference: string;
  /** The server's time (ms), so that durations do not depend on this machine's clock. */
  readonly nowMs: number;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

const durationColumns = 6;
const gap = "  ";

/** A run as lines of at most `columns` columns, at most `rows - 1` of them: the cursor stands on one more. */
export function frameLines(input: FrameInput): readonly string[] {
  const { run, rows } = input;
  const head = headLines(input);
  const names = Object.keys(run.tasks);
  const room = Math.max(1, rows - 1 - head.length);
  if (names.length <= room) return [...head, ...taskLines(input, treeRows(run.tasks))];

  const shown = selectTasks(run.tasks, names.toSorted(byLevel(run.tasks)), room - 1);
  const flat = shown.map((name) => ({ name, prefix: "" }));
  return [...head, ...taskLines(input, flat), restLine(input, new Set(shown))];
}

function headLines({ run, reference, nowMs, columns, paint }: FrameInput): readonly string[] {
  const elapsed = elapsedMs(run.startedAt ?? run.createdAt, run.finishedAt, nowMs) ?? 0;
  const state = runWord(run);
  const title = truncate(`${reference}${gap}${oneLine(run.name)}`, columns - state.length - durationColumns - 2 * gap.length);
  const first = `${paint("bold", title)}${gap}${paint(styleOfRun(run), state)}${gap}${durationText(elapsed)}`;
  const notes = [
    ...(run.phase === "queued" && run.waitingReason ? [run.waitingReason.message] : []),
    ...(run.reason ? [runReasonWord(run.reason)] : []),
    ...run.setupErrors,
  ];
  return [first, ...notes.slice(0, 10).map((note) => truncate(`  ${oneLine(note)}`, columns))];
}

function styleOfRun(run: RunView): Parameters<Paint>[0] {
  if (run.result === "failed" || run.phase === "setuperror") return ["red", "bold"];
  if (run.result === "success") return ["green", "bold"];
  return run.phase === "running" ? "cyan" : "yellow";
}

interface Row {
  readonly name: string;
  readonly prefix: string;
}

function taskLines(input: FrameInput, rows: readonly Row[]): readonly string[] {
  const widest = Math.max(0, ...rows.map(({ name, prefix }) => widthOf(prefix) + widthOf(name)));
  const nameColumns = Math.min(widest, Math.max(12, Math.floor(input.columns * 0.5)));
  return rows.flatMap((row) => {
    const task = input.run.tasks[row.name];
    return task ? [taskLine(input, row, task, nameColumns)] : [];
  });
}

function taskLine({ columns, nowMs, paint, reference }: FrameInput, row: Row, task: TaskView, nameColumns: number): string {
  const { symbol, style } = symbolOf(task);
  const name = pad(truncate(row.name, nameColumns - widthOf(row.prefix)), nameColumns - widthOf(row.prefix));
  const elapsed = elapsedMs(task.startedAt, task.finishedAt, nowMs);
  const duration = (elapsed === undefined || task.status === "skipped" ? "" : durationText(elapsed)).padStart(durationColumns);
  const said = task.waitingApproval ? `waits for approval: ostler approve ${quoted(`${reference}/${row.name}`)}` : taskNote(task);
  const fixed = 2 + nameColumns + 2 * gap.length + durationColumns;
  const note = truncate(oneLine(said), columns - fixed);
  const isLoud = task.status === "failed" && !task.ignoreFailure;
  const left = `${paint("dim", row.prefix)}${paint(style, symbol)} ${task.status === "skipped" ? paint("dim", name) : name}`;
  return truncated(`${left}${gap}${duration}${gap}${paint(isLoud ? "red" : "dim", note)}`, columns, `${row.prefix}${symbol} ${row.name}`);
}

/** On a terminal too narrow for the columns the name alone remains. */
function truncated(line: string, columns: number, narrow: string): string {
  return widthOf(line.trimEnd()) <= columns ? line.trimEnd() : truncate(narrow, columns);
}

function restLine({ run, columns, paint }: FrameInput, shown: ReadonlySet<string>): string {
  const counts = new Map<string, number>();
  for (const [name, task] of Object.entries(run.tasks)) {
    if (!shown.has(name)) counts.set(task.status, (counts.get(task.status) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...counts].map(([status, count]) => `${count} ${stateWord(status)}`);
  return paint("dim", truncate(`… and ${total} more: ${parts.join(", ")}`, columns));
}
