import { formatPath } from "./location.ts";

/** Deeper than any definition is, and shallow enough for every recursion after this one. */
const maxDepth = 32;

/** Keys that would reach an object's prototype. A schema's `record()` drops them in silence: a run without that task succeeds. */
const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** What is wrong with a parsed text before any schema looks at it; undefined if nothing is. A cycle of aliases counts as too deep. */
export function findShapeFault(
  raw: unknown,
  path: readonly PropertyKey[] = [],
): { readonly path: string; readonly message: string } | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  if (path.length >= maxDepth) return { path: "", message: `nested more than ${maxDepth} levels deep` };
  if (Array.isArray(raw)) return findFirst(raw.entries(), path);
  for (const key of Object.keys(raw)) {
    if (forbiddenKeys.has(key)) return { path: formatPath([...path, key]), message: `\`${key}\` is not allowed as a name` };
  }
  return findFirst(Object.entries(raw), path);
}

function findFirst(entries: Iterable<[PropertyKey, unknown]>, path: readonly PropertyKey[]) {
  for (const [key, value] of entries) {
    if (typeof value !== "object" || value === null) continue;
    const fault = findShapeFault(value, [...path, key]);
    if (fault) return fault;
  }
  return undefined;
}
