import { z } from "zod";
import { fields } from "../fields.ts";
import { defineStep } from "./step-type.ts";

/** Saves files under a name that people and programs fetch from the run. */
export const saveArtifact = defineStep({
  type: "save_artifact",
  schema: fields({
    type: z.literal("save_artifact"),
    name: z.string(),
    sourceDir: z.string().optional(),
    paths: z.array(z.string()),
  }),
  check: (step, report) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9 _.()-]{0,99}$/.test(step.name)) {
      report(["name"], "must be 1 to 100 letters, digits, spaces or _.()-, and begin with a letter or digit");
    }
    if (step.paths.length === 0) report(["paths"], "names nothing to save");
  },
});
