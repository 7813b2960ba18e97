import { z } from "zod";
import { fields } from "../fields.ts";
import { defineStep } from "./step-type.ts";

/** Unpacks the run's source and what the task's ancestors saved, in level, then name order. */
export const restoreWorkspace = defineStep({
  type: "restore_workspace",
  schema: fields({
    type: z.literal("restore_workspace"),
    name: z.string().optional(),
    destDir: z.string().optional(),
  }),
});
