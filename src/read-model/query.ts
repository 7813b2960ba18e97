import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { rootOf } from "../ids.ts";
import type { RunPhase, RunResult } from "../runs/states.ts";
import type { IndexRow } from "../runs/view.ts";
import { atOrBelow } from "./apply.ts";
import { deletedRank } from "./rank.ts";
import { rowOf } from "./stored-row.ts";

/** Which runs to list. Ids sort by time, so `order` and `after` are about creation. */
export interface RunFilter {
  readonly group?: string;
  /** Also the groups below `group`. */
  readonly recursive: boolean;
  readonly number?: number;
  /** Any of these; empty for all. */
  readonly phases: readonly RunPhase[];
  readonly results: readonly RunResult[];
  readonly name?: string;
  /** All of these. */
  readonly annotations: readonly (readonly [key: string, value: string])[];
  /** Created at this time (RFC 3339, UTC, milliseconds) or later. */
  readonly since?: string;
  /** Created before this time. */
  readonly until?: string;
  /** Of the runs that fit, the newest of each exact group. */
  readonly lastRun: boolean;
  readonly order: "newest" | "oldest";
  /** The id of the last run of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** What the next page comes after; undefined on the last one. */
  readonly next: string | undefined;
}

interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

const visible: Condition = { sql: `rank < ${deletedRank}`, values: [] };

function anyOf(column: string, values: readonly string[]): Condition[] {
  return values.length === 0 ? [] : [{ sql: `${column} IN (${values.map(() => "?").join(", ")})`, values }];
}

function equal(column: string, value: string | number | undefined): Condition[] {
  return value === undefined ? [] : [{ sql: `${column} = ?`, values: [value] }];
}

function inGroup({ group, recursive }: RunFilter): Condition[] {
  if (group === undefined) return [];
  return recursive ? [atOrBelow(group)] : equal("path", group);
}

/** A number belongs to a root group, so where the group is known its index finds the run at once. */
function numbered({ number, group }: RunFilter): Condition[] {
  if (number === undefined) return [];
  return [...equal("number", number), ...(group === undefined ? [] : equal("root", rootOf(group)))];
}

function conditionsOf(filter: RunFilter): Condition[] {
  return [
    visible,
    ...inGroup(filter),
    ...numbered(filter),
    ...anyOf("phase", filter.phases),
    ...anyOf("result", filter.results),
    ...equal("name", filter.name),
    ...filter.annotations.map(([key, value]) => ({
      sql: "id IN (SELECT id FROM annotations WHERE key = ? AND value = ?)",
      values: [key, value],
    })),
    ...(filter.since === undefined ? [] : [{ sql: "created >= ?", values: [filter.since] }]),
    ...(filter.until === undefined ? [] : [{ sql: "created < ?", values: [filter.until] }]),
  ];
}

function allOf(conditions: readonly Condition[]): Condition {
  return { sql: conditions.map(({ sql }) => sql).join(" AND "), values: conditions.flatMap(({ values }) => values) };
}

/** Cuts a page out of one row more than it may have. */
function pageOf<Item>(items: readonly Item[], limit: number, keyOf: (item: Item) => string): Page<Item> {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { items: page, next: items.length > limit && last !== undefined ? keyOf(last) : undefined };
}

export function listRuns(db: DatabaseSync, filter: RunFilter): Page<IndexRow> {
  const fits = allOf(conditionsOf(filter));
  const chosen = filter.lastRun ? { ...fits, sql: `id IN (SELECT max(id) FROM runs WHERE ${fits.sql} GROUP BY path)` } : fits;
  const [direction, beyond] = filter.order === "newest" ? ["DESC", "<"] : ["ASC", ">"];
  const after: Condition[] = filter.after === undefined ? [] : [{ sql: `id ${beyond} ?`, values: [filter.after] }];
  const where = allOf([chosen, ...after]);
  const rows = db
    .prepare(`SELECT * FROM runs WHERE ${where.sql} ORDER BY id ${direction} LIMIT ?`)
    .all(...where.values, filter.limit + 1)
    .map(rowOf);
  return pageOf(rows, filter.limit, (row) => row.runId);
}

export interface GroupFilter {
  /** `/` for the groups at the top. */
  readonly parent: string;
  /** The path of the last group of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface GroupItem {
  readonly path: string;
  /** The newest run at or below the group. */
  readonly lastRun: IndexRow;
}

/** The groups right below a group that have runs at or below them, by path. */
export function listGroups(db: DatabaseSync, { parent, after, limit }: GroupFilter): Page<GroupItem> {
  const rows = db
    .prepare(
      `SELECT groups.path AS group_path, runs.* FROM groups JOIN runs ON runs.id = groups.last_id
       WHERE groups.parent = ? AND groups.path > ? ORDER BY groups.path LIMIT ?`,
    )
    .all(parent, after ?? "", limit + 1)
    .map((row) => ({ path: String(row.group_path), lastRun: rowOf(row) }));
  return pageOf(rows, limit, (item) => item.path);
}

/** The run of that number at or below a group. */
export function findByNumber(db: DatabaseSync, { group, number }: { readonly group: string; readonly number: number }): string | undefined {
  const where = allOf([visible, ...equal("root", rootOf(group)), ...equal("number", number), atOrBelow(group)]);
  const id = db.prepare(`SELECT id FROM runs WHERE ${where.sql}`).get(...where.values)?.id;
  return typeof id === "string" ? id : undefined;
}

/** Which of these runs the model does not yet show as ended. */
export function unfinished(db: DatabaseSync, ids: readonly string[]): string[] {
  const ended = db.prepare("SELECT 1 FROM runs WHERE id = ? AND rank >= 3");
  return ids.filter((id) => ended.get(id) === undefined);
}

/** Runs by phase and result, for metrics: of those that have not ended, and of all. */
export function countRuns(db: DatabaseSync): readonly { readonly phase: string; readonly count: number }[] {
  return db
    .prepare("SELECT phase, count(*) AS count FROM runs WHERE rank < 3 GROUP BY phase")
    .all()
    .map((row) => ({ phase: String(row.phase), count: Number(row.count) }));
}
