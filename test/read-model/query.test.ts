import type { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import { apply, unversioned } from "../../src/read-model/apply.ts";
import { openDatabase } from "../../src/read-model/database.ts";
import { findByNumber, listGroups, listRuns, type RunFilter } from "../../src/read-model/query.ts";
import type { IndexRow } from "../../src/runs/view.ts";
import { row } from "./rows.ts";

let db: DatabaseSync;

const all: RunFilter = { recursive: false, phases: [], results: [], annotations: [], lastRun: false, order: "newest", limit: 100 };

function put(...rows: readonly IndexRow[]): void {
  apply(db, { rows: rows.map(unversioned), results: [] });
}

function ids(filter: Partial<RunFilter> = {}): string[] {
  return listRuns(db, { ...all, ...filter }).items.map((item) => item.runId);
}

beforeEach(() => {
  db = openDatabase(":memory:");
});

describe("listing runs", () => {
  it("lists the newest first, or the oldest", () => {
    const [a, b] = [row({ at: 1_000 }), row({ at: 2_000 })];
    put(a, b);
    expect(ids()).toEqual([b.runId, a.runId]);
    expect(ids({ order: "oldest" })).toEqual([a.runId, b.runId]);
  });

  it("gives back what it was given", () => {
    const run = row({ annotations: { commit: "3f9c" }, taskCounts: { success: 3 }, reason: "run_timeout", archived: true });
    put(run);
    expect(listRuns(db, all).items).toEqual([run]);
  });

  it("takes a group exactly, unless it is asked for what is below too", () => {
    const [above, exact, below, beside] = [
      row({ group: "/project/web" }),
      row({ group: "/project/web/branch" }),
      row({ group: "/project/web/branch/main" }),
      row({ group: "/project/web/branchoffice" }),
    ];
    put(above, exact, below, beside);
    expect(ids({ group: "/project/web/branch" })).toEqual([exact.runId]);
    expect(ids({ group: "/project/web/branch", recursive: true })).toEqual([below.runId, exact.runId]);
  });

  it("combines filters: any of the phases, all of the annotations, a name, a span of time", () => {
    const wanted = row({ at: 5_000, name: "deploy", phase: "running", result: "unknown", annotations: { env: "eu", by: "ann" } });
    put(
      wanted,
      row({ at: 5_000, name: "build", phase: "running", annotations: { env: "eu", by: "ann" } }),
      row({ at: 5_000, name: "deploy", phase: "running", annotations: { env: "eu" } }),
      row({ at: 5_000, name: "deploy", phase: "finished", annotations: { env: "eu", by: "ann" } }),
      row({ at: 1_000, name: "deploy", phase: "running", annotations: { env: "eu", by: "ann" } }),
    );
    const filter: Partial<RunFilter> = {
      name: "deploy",
      phases: ["queued", "running"],
      annotations: [
        ["env", "eu"],
        ["by", "ann"],
      ],
      since: new Date(5_000).toISOString(),
      until: new Date(5_001).toISOString(),
    };
    expect(ids(filter)).toEqual([wanted.runId]);
  });

  it("gives the newest fitting run of each exact group", () => {
    const [oldSuccess, newFailure, other] = [
      row({ at: 1_000, group: "/a/b", result: "success" }),
      row({ at: 2_000, group: "/a/b", result: "failed" }),
      row({ at: 1_500, group: "/a/b/c", result: "success" }),
    ];
    put(oldSuccess, newFailure, other);
    expect(ids({ lastRun: true })).toEqual([newFailure.runId, other.runId]);
    expect(ids({ lastRun: true, results: ["success"] })).toEqual([other.runId, oldSuccess.runId]);
  });

  it("pages without gaps or repeats while runs are being created", () => {
    const old = Array.from({ length: 10 }, (_, i) => row({ at: 1_000 + i }));
    put(...old);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = listRuns(db, { ...all, limit: 3, ...(after === undefined ? {} : { after }) });
      seen.push(...page.items.map((item) => item.runId));
      after = page.next;
      put(row({ at: 9_000 }));
    } while (after !== undefined);
    expect(seen).toEqual(old.map((item) => item.runId).reverse());
  });

  it("says that a page is the last one when nothing follows it", () => {
    put(row(), row());
    expect(listRuns(db, { ...all, limit: 2 }).next).toBeUndefined();
    expect(listRuns(db, { ...all, limit: 1 }).next).toBeDefined();
  });
});

describe("finding by number", () => {
  it("looks in the root group, at or below the group it is given", () => {
    const run = row({ group: "/numbers/web/branch/main", number: 12 });
    put(run);
    expect(findByNumber(db, { group: "/numbers/web/branch/main", number: 12 })).toBe(run.runId);
    expect(findByNumber(db, { group: "/numbers/web", number: 12 })).toBe(run.runId);
    expect(findByNumber(db, { group: "/numbers/web/branch/other", number: 12 })).toBeUndefined();
    expect(findByNumber(db, { group: "/numbers/web", number: 13 })).toBeUndefined();
  });
});

describe("listing groups", () => {
  it("lists the groups right below one, with the newest run at or below each", () => {
    const [web, deep, api] = [
      row({ at: 1_000, group: "/project/web" }),
      row({ at: 2_000, group: "/project/web/branch/main" }),
      row({ at: 3_000, group: "/project/api" }),
    ];
    put(web, deep, api);
    const groups = (parent: string) => listGroups(db, { parent, limit: 10 }).items.map(({ path, lastRun }) => [path, lastRun.runId]);
    expect(groups("/")).toEqual([["/project", api.runId]]);
    expect(groups("/project")).toEqual([
      ["/project/api", api.runId],
      ["/project/web", deep.runId],
    ]);
    expect(groups("/project/web")).toEqual([["/project/web/branch", deep.runId]]);
  });

  it("pages by path", () => {
    put(row({ group: "/p/a" }), row({ group: "/p/b" }), row({ group: "/p/c" }));
    const first = listGroups(db, { parent: "/p", limit: 2 });
    expect(first.items.map(({ path }) => path)).toEqual(["/p/a", "/p/b"]);
    expect(listGroups(db, { parent: "/p", limit: 2, after: first.next ?? "" }).items.map(({ path }) => path)).toEqual(["/p/c"]);
  });
});
