import { z } from "zod";

/** Everything the root-group actor can be told. */
export const RootGroupMessage = z.discriminatedUnion("type", [
  /** From the script that creates a run. Without `concurrency` the run starts at once, unless there is maintenance. */
  z.object({
    type: z.literal("enqueue"),
    run: z.string(),
    priority: z.number(),
    createdAt: z.number(),
    queueTimeoutMs: z.number(),
    concurrency: z
      .object({
        key: z.string(),
        limit: z.number().int(),
        policy: z.enum(["queue", "cancel-queued", "cancel-running"]),
      })
      .optional(),
  }),
  /** From a run that reached a terminal phase (also: is not known any more), queued or started. */
  z.object({ type: z.literal("run-ended"), run: z.string() }),
  z.object({ type: z.literal("maintenance"), on: z.boolean() }),
  /** From the owner, once after it took the shard over. */
  z.object({ type: z.literal("taken-over") }),
  z.object({ type: z.literal("tick") }),
]);
export type RootGroupMessage = z.infer<typeof RootGroupMessage>;
