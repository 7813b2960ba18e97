import type { z } from "zod";

/** Tells what is wrong with a step: `field` is relative to the step, such as `["contents", 0, "paths"]`. */
export type ReportFault = (field: readonly (string | number)[], message: string) => void;

/** One kind of step. To add one: a file beside this one, and a line in `registry.ts`. */
export interface StepType<Type extends string, Schema extends z.ZodType<{ type: Type }>> {
  readonly type: Type;
  /** Refuses what is malformed (400). */
  readonly schema: Schema;
  /** Reports what is well-formed but cannot work (setup errors); does nothing for a step of another type. */
  readonly check: (step: { readonly type: string }, report: ReportFault) => void;
}

interface Parts<Type extends string, Schema extends z.ZodType<{ type: Type }>> {
  readonly type: Type;
  readonly schema: Schema;
  readonly check?: (step: z.infer<Schema>, report: ReportFault) => void;
}

export function defineStep<const Type extends string, Schema extends z.ZodType<{ type: Type }>>(
  parts: Parts<Type, Schema>,
): StepType<Type, Schema> {
  const isOwn = (step: { readonly type: string }): step is z.infer<Schema> => step.type === parts.type;
  return {
    type: parts.type,
    schema: parts.schema,
    check: (step, report) => {
      if (isOwn(step)) parts.check?.(step, report);
    },
  };
}
