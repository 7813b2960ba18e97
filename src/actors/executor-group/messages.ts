import { z } from "zod";
import { ExecutorLife } from "../executor/description.ts";

/** Everything the executor-group actor can be told. */
export const ExecutorGroupMessage = z.discriminatedUnion("type", [
  /** From an executor actor, on every change of life or incarnation. */
  z.object({
    type: z.literal("member-changed"),
    executor: z.string(),
    pool: z.string(),
    incarnation: z.string(),
    life: ExecutorLife,
    /** The lost incarnation whose pods are not yet proven gone; absent if there is none. */
    unproven: z.string().optional(),
  }),
  z.object({ type: z.literal("member-removed"), executor: z.string() }),
  /** From a member that made two complete lists after the revocation and found no pod of that executor. */
  z.object({
    type: z.literal("pods-gone"),
    executor: z.string(),
    incarnation: z.string(),
    by: z.string(),
  }),
  z.object({ type: z.literal("taken-over") }),
  z.object({ type: z.literal("tick") }),
]);
export type ExecutorGroupMessage = z.infer<typeof ExecutorGroupMessage>;
