import { z } from "zod";

/** What an executor says of itself when it registers. */
export const ExecutorDescription = z.object({
  id: z.string(),
  pool: z.string(),
  group: z.string(),
  driver: z.string(),
  archs: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  taskLimit: z.number().int().positive(),
  allowPrivileged: z.boolean(),
  dynamic: z.boolean(),
  version: z.string(),
});
export type ExecutorDescription = z.infer<typeof ExecutorDescription>;

/** An executor's life: `lost` is declared, its incarnation revoked. */
export const ExecutorLife = z.enum(["active", "cordoned", "suspect", "lost"]);
export type ExecutorLife = z.infer<typeof ExecutorLife>;
