import { z } from "zod";
import { fields } from "../fields.ts";
import { suggest } from "../unknown-field.ts";
import { restoreCache } from "./restore-cache.ts";
import { restoreWorkspace } from "./restore-workspace.ts";
import { run } from "./run.ts";
import { saveArtifact } from "./save-artifact.ts";
import { saveCache } from "./save-cache.ts";
import { saveToWorkspace } from "./save-to-workspace.ts";
import type { ReportFault } from "./step-type.ts";

/** Every type of step. The definition's schema, its documentation and the OpenAPI description derive from it. */
export const stepTypes = [run, saveToWorkspace, restoreWorkspace, saveCache, restoreCache, saveArtifact] as const;

type SchemasOf<Types extends readonly { readonly schema: z.ZodType }[]> = { [Index in keyof Types]: Types[Index]["schema"] };

/** A step whose type nobody knows: well-formed, so it is kept, and a setup error. Never in a run that may start. */
export const UnknownStep = fields({ type: z.literal("unknown"), given: z.string() });

// `map` forgets that it was given a tuple; the type restates it.
const schemas = stepTypes.map((stepType) => stepType.schema) as unknown as SchemasOf<typeof stepTypes>;

export const Step = z.discriminatedUnion("type", [...schemas, UnknownStep]);
export type Step = z.infer<typeof Step>;

export const stepTypeNames: readonly string[] = stepTypes.map((stepType) => stepType.type);

/** Reports why a well-formed step cannot work. */
export function checkStep(step: Step, report: ReportFault): void {
  if (step.type === "unknown") report(["type"], `no such type of step: "${step.given}"${suggest(step.given, stepTypeNames)}`);
  for (const stepType of stepTypes) stepType.check(step, report);
}
