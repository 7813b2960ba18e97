import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RunResult } from "../runs/states.ts";
import type { IndexRow } from "../runs/view.ts";
import { transaction, writeMeta } from "./database.ts";
import { parentOf, pathsTo, rangeBelow } from "./group-path.ts";
import { deletedRank, runningRank } from "./rank.ts";
import { columns, findRow, storedValues } from "./stored-row.ts";
import { firstStreamId, type StreamId } from "./stream-id.ts";

/** A run's result that was decided while it was still running: no row says that, an event does. */
export interface EarlyResult {
  readonly runId: string;
  readonly result: RunResult;
}

/** What the model takes in at once. Applying it twice, or later than what came after it, changes nothing. */
export interface Batch {
  readonly rows: readonly VersionedRow[];
  readonly results: readonly EarlyResult[];
  /** How far the streams are read once this is in; absent for rows that came by another way. */
  readonly position?: { readonly rows: StreamId; readonly events: StreamId };
}

export interface VersionedRow {
  readonly row: IndexRow;
  /** The row's entry in `index:rows`; `0-0` for one from elsewhere, which any entry of the same rank replaces. */
  readonly version: StreamId;
}

interface Statements {
  readonly put: StatementSync;
  readonly annotate: StatementSync;
  readonly unannotate: StatementSync;
  readonly joinGroup: StatementSync;
  readonly lastOf: StatementSync;
  readonly setLast: StatementSync;
  readonly dropGroup: StatementSync;
  readonly result: StatementSync;
}

const prepared = new WeakMap<DatabaseSync, Statements>();

function statements(db: DatabaseSync): Statements {
  const known = prepared.get(db);
  if (known) return known;
  const made: Statements = {
    put: db.prepare(
      `INSERT INTO runs (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
       ON CONFLICT (id) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(", ")}
       WHERE (excluded.rank, excluded.version) >= (rank, version)`,
    ),
    annotate: db.prepare("INSERT OR IGNORE INTO annotations (key, value, id) VALUES (?, ?, ?)"),
    unannotate: db.prepare("DELETE FROM annotations WHERE key = ? AND value = ? AND id = ?"),
    joinGroup: db.prepare(
      "INSERT INTO groups (path, parent, last_id) VALUES (?, ?, ?) ON CONFLICT (path) DO UPDATE SET last_id = max(last_id, excluded.last_id)",
    ),
    lastOf: db.prepare(
      `SELECT max(last) AS last FROM (
         SELECT max(id) AS last FROM runs WHERE rank < ${deletedRank} AND path = ?
         UNION ALL SELECT max(last_id) FROM groups WHERE parent = ?)`,
    ),
    setLast: db.prepare("UPDATE groups SET last_id = ? WHERE path = ?"),
    dropGroup: db.prepare("DELETE FROM groups WHERE path = ?"),
    result: db.prepare(`UPDATE runs SET result = ? WHERE id = ? AND rank = ${runningRank}`),
  };
  prepared.set(db, made);
  return made;
}

/** The newest run at or below each group on the way changes with a deletion; a group without runs goes. */
function leaveGroups(sql: Statements, row: IndexRow): void {
  for (const path of pathsTo(row.group).reverse()) {
    const last = sql.lastOf.get(path, path)?.last;
    if (typeof last === "string") sql.setLast.run(last, path);
    else sql.dropGroup.run(path);
  }
}

function put(sql: Statements, { row, version }: VersionedRow): void {
  const { changes } = sql.put.run(...storedValues(row, version));
  // An older row than the one that is there.
  if (changes === 0) return;
  for (const [key, value] of Object.entries(row.annotations)) {
    if (row.deleted) sql.unannotate.run(key, value, row.runId);
    else sql.annotate.run(key, value, row.runId);
  }
  if (row.deleted) leaveGroups(sql, row);
  else for (const path of pathsTo(row.group)) sql.joinGroup.run(path, parentOf(path), row.runId);
}

/** Takes a batch in, in one transaction. */
export function apply(db: DatabaseSync, { rows, results, position }: Batch): void {
  const sql = statements(db);
  transaction(db, () => {
    for (const row of rows) put(sql, row);
    for (const { runId, result } of results) sql.result.run(result, runId);
    if (position) writeMeta(db, { rows: position.rows, events: position.events });
  });
}

/** Hides runs that were deleted, without waiting for the row that says so. */
export function hide(db: DatabaseSync, runIds: readonly string[]): void {
  const rows = runIds.flatMap((id) => findRow(db, id) ?? []);
  apply(db, { rows: rows.map((row) => unversioned({ ...row, deleted: true })), results: [] });
}

/** A row that did not come through the stream. */
export function unversioned(row: IndexRow): VersionedRow {
  return { row, version: firstStreamId };
}

/** Everything below `path` and the path itself, as a condition on `runs.path` with its parameters. */
export function atOrBelow(path: string): { readonly sql: string; readonly values: readonly string[] } {
  const [from, to] = rangeBelow(path);
  return { sql: "(path = ? OR (path >= ? AND path < ?))", values: [path, from, to] };
}
