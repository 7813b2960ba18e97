import { z } from "zod";
import { fields } from "../fields.ts";

/** Files to save: `paths` are globs relative to `sourceDir`, default everything. */
export const Contents = fields({
  sourceDir: z.string().optional(),
  destDir: z.string().optional(),
  paths: z.array(z.string()).optional(),
});
export type Contents = z.infer<typeof Contents>;
