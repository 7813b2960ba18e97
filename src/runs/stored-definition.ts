import { z } from "zod";
import { Definition } from "./definition.ts";
import { StepProgress } from "./outcome.ts";

/** A task that a restart keeps: how it ended, and where its logs, artifacts and workspace archives are. Times in ms. */
export const KeptTask = z.object({
  /** The run that really ran it, however often it has been kept since. */
  runId: z.string(),
  /** The attempt that succeeded; object keys hold its number. */
  attempt: z.number().int(),
  executor: z.string().optional(),
  startedAt: z.number().optional(),
  finishedAt: z.number(),
  outputs: z.record(z.string(), z.string()).optional(),
  setup: StepProgress.optional(),
  steps: z.array(StepProgress).optional(),
});
export type KeptTask = z.infer<typeof KeptTask>;

/**
 * A definition as it is stored, immutable: at `run:<id>:def` and in ost `runs/<id>/definition.json`. Secret values are sealed.
 * `number` is only there in ost, since the script that creates a run is what draws it.
 */
export const StoredDefinition = z.object({
  version: z.literal(1),
  runId: z.string(),
  group: z.string(),
  number: z.number().int().optional(),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  definition: Definition,
  restart: z
    .object({
      of: z.string(),
      fromFailed: z.boolean(),
      kept: z.record(z.string(), KeptTask),
    })
    .optional(),
});
export type StoredDefinition = z.infer<typeof StoredDefinition>;
