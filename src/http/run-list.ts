import { z } from "@hono/zod-openapi";
import { OstlerError } from "../errors.ts";
import { parseRunId } from "../ids.ts";
import type { RunFilter } from "../read-model/query.ts";
import { RunPhase, RunResult } from "../runs/states.ts";
import type { IndexRow } from "../runs/view.ts";
import { decodeCursor, Flag, Limit, repeatable, Time } from "./parameters.ts";
import type { RunSummary } from "./shapes.ts";

const maxAnnotations = 10;

/** `key:value`; the value may hold further colons. */
const Annotation = z
  .string()
  .regex(/^[^:]+:/, { error: "expected key:value" })
  .openapi({ description: "`key:value`; repeat it for runs that have all of them.", example: "commit:3f9c" });

export const RunListQuery = z.strictObject({
  group: z.string().optional().openapi({ description: "The runs of this group." }),
  recursive: Flag.optional().openapi({ description: "Also those of the groups below it." }),
  number: z.coerce.number({ error: "expected a whole number" }).int().min(1).optional(),
  phase: repeatable(RunPhase).openapi({ type: "array", description: "Any of these." }),
  result: repeatable(RunResult).openapi({ type: "array", description: "Any of these." }),
  name: z.string().optional(),
  annotation: repeatable(Annotation).openapi({ type: "array" }),
  since: Time.optional().openapi({ type: "string", description: "Created at this time or later." }),
  until: Time.optional().openapi({ type: "string", description: "Created before this time." }),
  lastRun: Flag.optional().openapi({ description: "Of the runs that fit, only the newest of each exact group." }),
  order: z.enum(["newest", "oldest"]).default("newest"),
  limit: Limit,
  cursor: z.string().optional(),
});

function annotationOf(text: string): readonly [key: string, value: string] {
  const colon = text.indexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function runIdOf(cursor: string): string {
  const id = decodeCursor(cursor);
  if (!parseRunId(id)) throw new OstlerError("bad_request", "query parameter cursor: not a cursor of this list");
  return id;
}

export function filterOf(query: z.infer<typeof RunListQuery>): RunFilter {
  const { group, number, name, since, until, cursor } = query;
  if (query.annotation.length > maxAnnotations)
    throw new OstlerError("bad_request", `query parameter annotation: at most ${maxAnnotations}`);
  if (query.recursive && group === undefined) throw new OstlerError("bad_request", "query parameter recursive: needs `group`");
  return {
    recursive: query.recursive ?? false,
    phases: query.phase,
    results: query.result,
    annotations: query.annotation.map(annotationOf),
    lastRun: query.lastRun ?? false,
    order: query.order,
    limit: query.limit,
    ...(group !== undefined && { group }),
    ...(number !== undefined && { number }),
    ...(name !== undefined && { name }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(cursor !== undefined && { after: runIdOf(cursor) }),
  };
}

export function summaryOf({ runId, taskCounts, archived, deleted: _, ...row }: IndexRow): RunSummary {
  return { id: runId, ...row, archived: archived ?? false, taskCounts: taskCounts ?? {} };
}
