import type { RunSummary } from "../client/runs.ts";
import type { Session } from "./session.ts";
import type { Column } from "./text/table.ts";
import { ageText, durationText, elapsedMs } from "./text/time.ts";
import { runWord, stateWord } from "./words.ts";

/** A terminal shows how long ago something was, a pipe the time itself, which does not change while one looks. */
export function createdColumn<Row>(session: Session, timeOf: (row: Row) => string | undefined): Column<Row> {
  const isTerminal = session.shell.stdout.isTTY === true;
  const nowMs = session.shell.now() + session.client.clockSkewMs();
  return {
    title: isTerminal ? "AGE" : "CREATED",
    text: (row) => {
      const time = timeOf(row);
      if (time === undefined) return "";
      return isTerminal ? ageText(nowMs - Date.parse(time)) : time;
    },
  };
}

export function stateColumn<Row>(session: Session, runOf: (row: Row) => Pick<RunSummary, "phase" | "result"> | null): Column<Row> {
  return {
    title: "STATE",
    text: (row) => {
      const run = runOf(row);
      return run ? runWord(run) : "";
    },
    paint: (text, row) => {
      const run = runOf(row);
      return run ? session.paint(styleOf(run), text) : text;
    },
  };
}

function styleOf({ phase, result }: Pick<RunSummary, "phase" | "result">) {
  if (result === "failed" || phase === "setuperror") return "red";
  if (result === "success") return "green";
  return phase === "running" ? "cyan" : "yellow";
}

export function runColumns(session: Session): readonly Column<RunSummary>[] {
  const nowMs = session.shell.now() + session.client.clockSkewMs();
  return [
    { title: "RUN", text: (run) => `${run.group}#${run.number}` },
    stateColumn(session, (run) => run),
    { title: "NAME", text: (run) => run.name },
    createdColumn(session, (run) => run.createdAt),
    { title: "TOOK", text: (run) => took(run, nowMs) },
    { title: "ID", text: (run) => run.id },
    { title: "TASKS", text: ({ taskCounts }) => countsText(taskCounts) },
  ];
}

function took({ startedAt, finishedAt }: RunSummary, nowMs: number): string {
  const ms = elapsedMs(startedAt, finishedAt, nowMs);
  return ms === undefined ? "" : durationText(ms);
}

function countsText(counts: RunSummary["taskCounts"]): string {
  return Object.entries(counts)
    .flatMap(([status, count]) => (count ? [`${count} ${stateWord(status)}`] : []))
    .join(", ");
}
