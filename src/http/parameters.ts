import { z } from "@hono/zod-openapi";
import { OstlerError } from "../errors.ts";
import { parseRunId } from "../ids.ts";

/** The least and greatest page. */
const defaultLimit = 25;
const maxLimit = 500;

export const Limit = z.coerce
  .number({ error: "expected a whole number" })
  .int()
  .min(1, { error: `expected 1 to ${maxLimit}` })
  .max(maxLimit, { error: `expected 1 to ${maxLimit}` })
  .default(defaultLimit)
  .openapi({ description: `Entries per page, ${defaultLimit} unless given, at most ${maxLimit}.` });

/** `true` or `false`, nothing else. */
export const Flag = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .openapi({ type: "boolean" });

/** A parameter that may be repeated: one value or several. */
export function repeatable<Item extends z.ZodType>(item: Item) {
  return z.union([item.transform((one) => [one]), z.array(item)], { error: faultOfOne }).default([]);
}

/** What is wrong with a value that is not repeated; a union by itself would only say "invalid input". */
function faultOfOne({ errors }: { readonly errors?: readonly (readonly { readonly message: string }[])[] }): string | undefined {
  return errors?.[0]?.[0]?.message;
}

/** RFC 3339 with any offset, as UTC with milliseconds: texts of that form compare as times. */
export const Time = z.iso
  .datetime({ offset: true, error: "expected a time such as 2026-01-31T12:00:00Z" })
  .transform((text) => new Date(text).toISOString());

/** A route without query parameters takes none: a misspelt one must not be ignored in silence. */
export const noQuery = z.strictObject({});

export const RunPath = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" }, example: "01m3250v0000b03hgnn5c12hkn" }) });
export const TaskPath = RunPath.extend({ task: z.string().openapi({ param: { name: "task", in: "path" }, example: "test" }) });

/** The id itself; throws `run_not_found` for a malformed one as for an unknown one. */
export function knownRunId(id: string): string {
  if (!parseRunId(id)) throw runNotFound(id);
  return id;
}

export function runNotFound(id: string): OstlerError {
  return new OstlerError("run_not_found", `there is no run ${id.slice(0, 100)}`, { details: { runId: id.slice(0, 100) } });
}

/** An opaque cursor: what the next page comes after. */
export function encodeCursor(value: string | undefined): string | null {
  return value === undefined ? null : Buffer.from(value, "utf8").toString("base64url");
}

/** Throws `bad_request` for what no page has ever given. */
export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (encodeCursor(text) !== cursor) throw new OstlerError("bad_request", "query parameter cursor: not a cursor of this list");
  return text;
}
