import { z } from "zod";
import { fields } from "./fields.ts";

/** A secret value: clear in a request, sealed once stored, `***` in every answer. */
export const Secret = fields({ secret: z.string() });
export type Secret = z.infer<typeof Secret>;

/** A value that may be secret: an environment entry, a registry's password. */
export const Value = z.union([z.string(), Secret], { error: "expected a string (quote numbers and booleans), or { secret: … }" });
export type Value = z.infer<typeof Value>;

export const Environment = z.record(z.string(), Value);
export type Environment = z.infer<typeof Environment>;
