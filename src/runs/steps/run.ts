import { z } from "zod";
import { checkEnvironment } from "../check-environment.ts";
import { checkDuration } from "../duration.ts";
import { Environment } from "../environment.ts";
import { fields } from "../fields.ts";
import { defineStep } from "./step-type.ts";

/** Runs a command as a script of the task's shell. Short: `{ run: <command> }`. */
export const run = defineStep({
  type: "run",
  schema: fields({
    type: z.literal("run"),
    name: z.string().optional(),
    command: z.string(),
    environment: Environment.optional(),
    workingDir: z.string().optional(),
    shell: z.string().optional(),
    user: z.string().optional(),
    timeout: z.string().optional(),
  }),
  check: (step, report) => {
    checkEnvironment(step.environment, (name, message) => report(["environment", name], message));
    checkDuration(step.timeout, (message) => report(["timeout"], message));
  },
});
