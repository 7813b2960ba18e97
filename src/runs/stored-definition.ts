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

/** What was validated as a whole before it was stored: of that, only that it is there is checked again. */
function validated<Value>() {
  return z.custom<Value>((value) => typeof value === "object" && value !== null);
}

const Trusted = StoredDefinition.extend({
  definition: validated<StoredDefinition["definition"]>(),
  restart: validated<NonNullable<StoredDefinition["restart"]>>().optional(),
});

/**
 * The definition of which Redis holds the JSON. Validating it again would cost seconds for a run of 100,000 tasks, in an owner
 * that must renew its lease; whoever reads one from elsewhere (an import, an object in ost) uses `StoredDefinition.parse`.
 */
export function readStoredDefinition(json: string): StoredDefinition {
  return Trusted.parse(JSON.parse(json));
}
