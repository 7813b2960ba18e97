import type { DatabaseSync } from "node:sqlite";
import { apply, hide } from "./apply.ts";
import { type Progress, readProgress, startHistory, transaction, writeMeta } from "./database.ts";
import { countRuns, findByNumber, listGroups, listRuns, unfinished } from "./query.ts";

/** Everything that can be asked of the database's thread. Inputs and outputs are plain data: they cross threads. */
export const operations = {
  apply,
  hide,
  listRuns,
  listGroups,
  findByNumber,
  unfinished,
  countRuns: (db: DatabaseSync, _: undefined) => countRuns(db),
  progress: (db: DatabaseSync, _: undefined): Progress | undefined => readProgress(db),
  startHistory,
  complete: (db: DatabaseSync, _: undefined) => {
    transaction(db, () => writeMeta(db, { complete: "1" }));
    // Without statistics SQLite guesses which index narrows a combination of filters best.
    db.exec("PRAGMA analysis_limit = 1000; ANALYZE;");
  },
} as const;

export type Operations = typeof operations;
export type OperationName = keyof Operations;

/** A question to the thread, and its answer. */
export interface Request {
  readonly id: number;
  readonly name: OperationName;
  readonly input: unknown;
}

export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };
