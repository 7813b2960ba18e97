import { OstlerError } from "../errors.ts";
import { parseJsonText, parseYamlText } from "../runs/document.ts";
import { findShapeFault } from "../runs/raw-shape.ts";

export type DocumentFormat = "json" | "yaml";

export interface DocumentText {
  readonly text: string;
  readonly format: DocumentFormat;
  /** Of what it stands for. A YAML text may be short and mean much. */
  readonly maxBytes: number;
}

export function tooLarge(maxBytes: number): OstlerError {
  return new OstlerError("body_too_large", `the body is larger than ${maxBytes} bytes (setting OSTLER_MAX_BODY)`, {
    details: { maxBytes },
  });
}

/** The document as JSON text. What no schema must ever see (names that reach a prototype, bottomless nesting) is refused here. */
export function documentAsJson({ text, format, maxBytes }: DocumentText): string {
  const document = parse(text, format);
  const fault = findShapeFault(document);
  if (fault) {
    const message = `${fault.path === "" ? "the body" : fault.path}: ${fault.message}`;
    throw new OstlerError("bad_request", message, { details: { locations: [fault] } });
  }
  if (format === "yaml" && roomAfter(document, maxBytes) < 0) throw tooLarge(maxBytes);
  return format === "json" ? text : JSON.stringify(document ?? {});
}

function parse(text: string, format: DocumentFormat): unknown {
  try {
    return format === "json" ? parseJsonText(text) : parseYamlText(text);
  } catch (error) {
    if (error instanceof OstlerError) throw new OstlerError("bad_request", error.message, { details: error.details, cause: error });
    // The YAML reader recurses.
    if (error instanceof RangeError) throw new OstlerError("bad_request", "the body is nested too deeply", { cause: error });
    throw error;
  }
}

/** What is left of `room` (bytes) once a value is written out, aliases each time anew; looks no further once nothing is left. */
function roomAfter(value: unknown, room: number): number {
  if (typeof value === "string") return room - value.length - 2;
  if (typeof value !== "object" || value === null) return room - 1;
  let left = room - 2;
  for (const [key, item] of Object.entries(value)) {
    left = roomAfter(item, Array.isArray(value) ? left : left - key.length - 3);
    if (left < 0) break;
  }
  return left;
}
