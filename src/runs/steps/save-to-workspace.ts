import { z } from "zod";
import { fields } from "../fields.ts";
import { Contents } from "./contents.ts";
import { defineStep } from "./step-type.ts";

/** Saves files for the tasks that descend from this one. */
export const saveToWorkspace = defineStep({
  type: "save_to_workspace",
  schema: fields({
    type: z.literal("save_to_workspace"),
    name: z.string().optional(),
    contents: z.array(Contents),
  }),
  check: (step, report) => {
    if (step.contents.length === 0) report(["contents"], "names nothing to save");
  },
});
