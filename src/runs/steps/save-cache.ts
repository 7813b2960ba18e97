import { z } from "zod";
import { checkCacheKey } from "../cache-key.ts";
import { fields } from "../fields.ts";
import { Contents } from "./contents.ts";
import { defineStep } from "./step-type.ts";

/** Saves files under a key that a later run restores; a key that exists is a success without upload. */
export const saveCache = defineStep({
  type: "save_cache",
  schema: fields({
    type: z.literal("save_cache"),
    name: z.string().optional(),
    key: z.string(),
    contents: z.array(Contents),
  }),
  check: (step, report) => {
    checkCacheKey(step.key, (message) => report(["key"], message));
    if (step.contents.length === 0) report(["contents"], "names nothing to save");
  },
});
