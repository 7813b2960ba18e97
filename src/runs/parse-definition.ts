import type { z } from "zod";
import { OstlerError } from "../errors.ts";
import { Definition } from "./definition.ts";
import { expandDefinition } from "./expand.ts";
import { type Fault, formatFault, formatPath } from "./location.ts";
import { findShapeFault } from "./raw-shape.ts";

export const maxTasks = 100_000;
export const maxParents = 1000;

/** An answer with more of them would help nobody. */
const maxFaults = 50;

/**
 * The definition that a request's body stands for, in its long form. What is malformed (wrong types, unknown fields, too much of
 * something) throws `invalid_definition` with `details.locations`; whether a well-formed one can work is for `checkDefinition`.
 */
export function parseDefinition(raw: unknown): Definition {
  const shapeFault = findShapeFault(raw);
  if (shapeFault) throw invalid([shapeFault]);
  const sizeFaults = findSizeFaults(raw);
  if (sizeFaults.length > 0) throw invalid(sizeFaults);

  const faults: Fault[] = [];
  const expanded = expandDefinition(raw, (path, message) => faults.push({ path: formatPath(path), message }));
  const parsed = Definition.safeParse(expanded, { error: describeIssue });
  if (!parsed.success) faults.push(...parsed.error.issues.map((issue) => ({ path: formatPath(issue.path), message: issue.message })));
  if (faults.length > 0 || !parsed.success) throw invalid(faults);
  return parsed.data;
}

function invalid(faults: readonly Fault[]): OstlerError {
  const locations = faults.slice(0, maxFaults);
  const [first] = locations;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return new OstlerError("invalid_definition", `${first ? formatFault(first) : "invalid"}${more}`, { details: { locations } });
}

/** Refuses what is too much before anything costly looks at it. */
function findSizeFaults(raw: unknown): Fault[] {
  if (typeof raw !== "object" || raw === null || !("tasks" in raw) || typeof raw.tasks !== "object" || raw.tasks === null) return [];
  const tasks = Object.entries(raw.tasks);
  if (tasks.length > maxTasks) return [{ path: "tasks", message: `${tasks.length} tasks, at most ${maxTasks}` }];
  return tasks.flatMap(([name, task]) => {
    const parents = countParents(task);
    return parents > maxParents
      ? [{ path: formatPath(["tasks", name, "depends"]), message: `${parents} parents, at most ${maxParents}` }]
      : [];
  });
}

function countParents(task: unknown): number {
  if (typeof task !== "object" || task === null || !("depends" in task)) return 0;
  return typeof task.depends === "object" && task.depends !== null ? Object.keys(task.depends).length : 0;
}

/** Zod's issues in the words of people who write definitions. A schema's own words come first. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `expected ${article(issue.expected)}, got ${kindOf(issue.input)}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_small":
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return undefined;
  }
}

function article(expected: string): string {
  if (expected === "record" || expected === "object") return "a map";
  if (expected === "array") return "a list";
  if (expected === "int") return "a whole number";
  return `a ${expected}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : `a ${typeof value}`;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" ? " entries" : "";
}
