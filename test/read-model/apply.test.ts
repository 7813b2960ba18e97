import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { apply, unversioned } from "../../src/read-model/apply.ts";
import { openDatabase } from "../../src/read-model/database.ts";
import { listGroups, listRuns, type RunFilter } from "../../src/read-model/query.ts";
import type { IndexRow } from "../../src/runs/view.ts";
import { row } from "./rows.ts";

const all: RunFilter = { recursive: false, phases: [], results: [], annotations: [], lastRun: false, order: "newest", limit: 100 };

let db: DatabaseSync;
beforeEach(() => {
  db = openDatabase(":memory:");
});

const base = row({ group: "/a/b/c", annotations: { k: "v" } });
/** A run's rows in the order in which its commits append them. */
const life: readonly IndexRow[] = [
  { ...base, phase: "queued", result: "unknown" },
  { ...base, phase: "running", result: "unknown" },
  { ...base, phase: "finished", result: "failed" },
  { ...base, phase: "finished", result: "failed", archived: true },
];
const deleted: IndexRow = { ...base, phase: "finished", result: "failed", deleted: true };

function inOrder(database: DatabaseSync, order: readonly number[], rows: readonly IndexRow[]): void {
  for (const index of order) {
    const version = `${1_000 + index}-0`;
    const chosen = rows[index];
    if (chosen) apply(database, { rows: [{ row: chosen, version }], results: [] });
  }
}

describe("taking rows in", () => {
  it("shows the newest row of a run, whatever order they come in and however often", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), fc.array(fc.nat(3), { maxLength: 6 }), (order, again) => {
        const fresh = openDatabase(":memory:");
        inOrder(fresh, [...order, ...again], life);
        expect(listRuns(fresh, all).items).toEqual([{ ...life[3] }]);
      }),
    );
  });

  it("never brings a deleted run back, and takes it out of groups and annotations", () => {
    apply(db, { rows: [{ row: deleted, version: "2000-0" }], results: [] });
    inOrder(db, [0, 1, 2, 3], life);
    expect(listRuns(db, all).items).toEqual([]);
    expect(listRuns(db, { ...all, annotations: [["k", "v"]] }).items).toEqual([]);
    expect(listGroups(db, { parent: "/", limit: 10 }).items).toEqual([]);
  });

  it("shows the run before as a group's newest once the newest is deleted", () => {
    const older = row({ at: 1_000, group: "/a/b" });
    apply(db, { rows: [unversioned(older), unversioned(base)], results: [] });
    apply(db, { rows: [unversioned(deleted)], results: [] });
    expect(listGroups(db, { parent: "/a", limit: 10 }).items.map(({ lastRun }) => lastRun.runId)).toEqual([older.runId]);
    expect(listGroups(db, { parent: "/a/b", limit: 10 }).items).toEqual([]);
  });

  it("shows a result that is decided while the run still runs, and only then", () => {
    const result = { runId: base.runId, result: "failed" } as const;
    inOrder(db, [0], life);
    apply(db, { rows: [], results: [result] });
    expect(listRuns(db, all).items[0]?.result).toBe("unknown");
    inOrder(db, [1], life);
    apply(db, { rows: [], results: [result] });
    expect(listRuns(db, all).items[0]).toMatchObject({ phase: "running", result: "failed" });
  });
});
