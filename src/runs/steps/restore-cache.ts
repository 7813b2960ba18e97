import { z } from "zod";
import { checkCacheKey } from "../cache-key.ts";
import { fields } from "../fields.ts";
import { defineStep } from "./step-type.ts";

/** Restores the first of its keys that hits, exactly or else as a prefix (the newest); a miss is a success. */
export const restoreCache = defineStep({
  type: "restore_cache",
  schema: fields({
    type: z.literal("restore_cache"),
    name: z.string().optional(),
    keys: z.array(z.string()),
    destDir: z.string().optional(),
  }),
  check: (step, report) => {
    if (step.keys.length === 0) report(["keys"], "names no key");
    for (const [index, key] of step.keys.entries()) checkCacheKey(key, (message) => report(["keys", index], message));
  },
});
