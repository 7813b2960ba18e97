import { z } from "zod";
import { unknownField } from "./unknown-field.ts";

/**
 * An object of a definition. A field that it does not know is an error that names the nearest known one:
 * the schema says so itself, since only it knows its own fields.
 */
export function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? issue.keys.map((key) => unknownField(key, known)).join("; ") : undefined),
  });
}
