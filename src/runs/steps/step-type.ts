import type { z } from "zod";

/** Tells what is wrong with a step: `field` is relative to the step, such as `["contents", 0, "paths"]`. */
export type ReportFault = (field: readonly (string | number)[], message: string) => void;

/** One kind of step. To add one: a file beside this one, and a line in `registry.ts`. */
export interface StepType<Type extends string, Schema extends z.ZodType<{ type: Type }>> {
  readonly type: Type;
  /** Refuses what is malformed (400). */
  readonly schema: Schema;
  /** Reports what is well-formed but cannot work (setup errors). */
  readonly check: (step: z.infer<Schema>, report: ReportFault) => void;
}

/** Ties a step type's parts together; only there to infer their types. */
export function defineStep<const Type extends string, Schema extends z.ZodType<{ type: Type }>>(
  step: StepType<Type, Schema>,
): StepType<Type, Schema> {
  return step;
}
