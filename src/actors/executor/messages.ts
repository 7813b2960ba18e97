import { z } from "zod";
import { ExecutorDescription } from "./description.ts";

/** Everything the executor actor can be told. */
export const ExecutorMessage = z.discriminatedUnion("type", [
  /** From the script that registers. `ttlMs` is the heartbeat's, `fenceMs` the executor's own fence time. */
  z.object({
    type: z.literal("registered"),
    incarnation: z.string(),
    description: ExecutorDescription,
    ttlMs: z.number(),
    fenceMs: z.number(),
  }),
  /** From the owner, every 2 s: whether the heartbeat key was there. Only sent while absence can be trusted. */
  z.object({ type: z.literal("observed"), alive: z.boolean(), incarnation: z.string() }),
  /** From the script that declares it: the platform has other architectures now. What runs on those that went goes on. */
  z.object({ type: z.literal("archs-changed"), incarnation: z.string(), archs: z.array(z.string()) }),
  z.object({ type: z.literal("cordon"), leaveWhenEmpty: z.boolean() }),
  z.object({ type: z.literal("uncordon") }),
  /** The executor leaves by itself with nothing held (drained). */
  z.object({ type: z.literal("left"), incarnation: z.string() }),
  /** DELETE: an active executor is a conflict unless `force`. */
  z.object({ type: z.literal("delete"), force: z.boolean() }),
  /** From the executor group: a sibling proved that no pod of this incarnation (or an earlier one) is left. */
  z.object({
    type: z.literal("pods-gone"),
    incarnation: z.string(),
    /** The group that forwards it: told `member-removed` if there is no such executor any more. */
    group: z.string().optional(),
  }),
  z.object({ type: z.literal("taken-over") }),
  z.object({ type: z.literal("tick") }),
]);
export type ExecutorMessage = z.infer<typeof ExecutorMessage>;
