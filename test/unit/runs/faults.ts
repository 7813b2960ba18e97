import { OstlerError } from "../../../src/errors.ts";
import { checkDefinition } from "../../../src/runs/check-definition.ts";
import { formatFault } from "../../../src/runs/location.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";

/** A definition that can work, with changes. */
export function raw(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: "build", group: "/project/web", tasks: {}, ...more };
}

/** One task `a` that can work, with changes. */
export function task(more: Record<string, unknown> = {}): Record<string, unknown> {
  return raw({ tasks: { a: { image: "x", ...more } } });
}

/** What `parse` refuses, as `path: message`; empty if it does not. */
export function refusals(parse: () => unknown): readonly string[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof OstlerError) || error.code !== "invalid_definition") throw error;
    const { locations } = error.details;
    if (!Array.isArray(locations)) throw new Error("no locations");
    return locations.map(formatFault);
  }
}

export function malformed(definition: unknown): readonly string[] {
  return refusals(() => parseDefinition(definition));
}

/** The setup errors of a well-formed definition. */
export function setupErrors(definition: unknown): readonly string[] {
  return checkDefinition(parseDefinition(definition)).map(formatFault);
}
