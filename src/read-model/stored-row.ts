import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import { rootOf } from "../ids.ts";
import { IndexRow } from "../runs/view.ts";
import { deletedRank, rankOf } from "./rank.ts";
import { type StreamId, sortableStreamId } from "./stream-id.ts";

/** The columns of `runs`, in the order of `storedValues`. */
export const columns = [
  "id",
  "number",
  "root",
  "path",
  "name",
  "phase",
  "result",
  "reason",
  "created",
  "started",
  "finished",
  "restart_of",
  "annotations",
  "task_counts",
  "archived",
  "rank",
  "version",
] as const;

function jsonOrNull(object: object | undefined): string | null {
  return object && Object.keys(object).length > 0 ? JSON.stringify(object) : null;
}

export function storedValues(row: IndexRow, version: StreamId): SQLInputValue[] {
  return [
    row.runId,
    row.number,
    rootOf(row.group),
    row.group,
    row.name,
    row.phase,
    row.result,
    row.reason,
    row.createdAt,
    row.startedAt,
    row.finishedAt,
    row.restartOf,
    jsonOrNull(row.annotations),
    jsonOrNull(row.taskCounts),
    row.archived ? 1 : 0,
    row.deleted ? deletedRank : rankOf(row.phase),
    sortableStreamId(version),
  ];
}

function json(value: SQLOutputValue | undefined): unknown {
  return typeof value === "string" ? JSON.parse(value) : {};
}

/** The row that `storedValues` stored. */
export function rowOf(stored: Readonly<Record<string, SQLOutputValue>>): IndexRow {
  return IndexRow.parse({
    runId: stored.id,
    number: stored.number,
    group: stored.path,
    name: stored.name,
    phase: stored.phase,
    result: stored.result,
    reason: stored.reason,
    createdAt: stored.created,
    startedAt: stored.started,
    finishedAt: stored.finished,
    restartOf: stored.restart_of,
    annotations: json(stored.annotations),
    taskCounts: json(stored.task_counts),
    archived: stored.archived === 1,
  });
}

export function findRow(db: DatabaseSync, runId: string): IndexRow | undefined {
  const stored = db.prepare("SELECT * FROM runs WHERE id = ?").get(runId);
  return stored && rowOf(stored);
}
