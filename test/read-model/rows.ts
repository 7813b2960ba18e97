import { createRunIds, rootOf } from "../../src/ids.ts";
import type { IndexRow } from "../../src/runs/view.ts";

/** Ids of one time ascend; those of an earlier time sort before, as if another process had drawn them then. */
const idsOf = new Map<number, ReturnType<typeof createRunIds>>();
const numbers = new Map<string, number>();

/** A row of a run that was created at `at` (ms); ids and numbers are drawn as the api draws them. */
export function row(fields: Partial<IndexRow> & { readonly at?: number } = {}): IndexRow {
  const { at = 1_790_000_000_000, ...rest } = fields;
  const group = rest.group ?? "/project/web/branch/main";
  const number = (numbers.get(rootOf(group)) ?? 0) + 1;
  numbers.set(rootOf(group), number);
  const nextId = idsOf.get(at) ?? createRunIds();
  idsOf.set(at, nextId);
  return {
    runId: nextId({ timeMs: at, shard: 3 }),
    number,
    group,
    name: "build",
    phase: "finished",
    result: "success",
    reason: null,
    createdAt: new Date(at).toISOString(),
    startedAt: null,
    finishedAt: null,
    restartOf: null,
    annotations: {},
    taskCounts: {},
    archived: false,
    ...rest,
  };
}
