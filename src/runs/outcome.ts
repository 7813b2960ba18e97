import { z } from "zod";

/** A step's (or the setup's) state as its executor reports it; times in ms by Redis's clock. */
export const StepProgress = z.object({
  phase: z.enum(["notstarted", "cancelled", "running", "stopped", "success", "failed"]),
  exitCode: z.number().int().optional(),
  startedAt: z.number().optional(),
  finishedAt: z.number().optional(),
  /** Bytes of log produced so far, or in all once `logComplete`. */
  logSize: z.number().optional(),
  logComplete: z.boolean().optional(),
});
export type StepProgress = z.infer<typeof StepProgress>;

/** Why an attempt ended. The budget that a retry is taken from follows from it (semantics: attempts, retries). */
export const AttemptReason = z.enum([
  "exit_code",
  "timeout",
  "oom",
  "executor_lost",
  "pod_lost",
  "evicted",
  "image",
  "image_permanent",
  "start_timeout",
  "setup",
  "config",
  "queue_timeout",
  "approval_timeout",
  "run_timeout",
  "stopped",
  "internal",
]);
export type AttemptReason = z.infer<typeof AttemptReason>;

/** How an attempt ended; after it no pod of the attempt is left. */
export const AttemptOutcome = z.object({
  phase: z.enum(["success", "failed", "stopped"]),
  reason: AttemptReason.optional(),
  message: z.string().max(4096).optional(),
  exitCode: z.number().int().optional(),
  /** When the pod began to run; absent if it never did. */
  startedAt: z.number().optional(),
  finishedAt: z.number(),
  /** False if no step ever began: such an attempt costs no budget. */
  ranStep: z.boolean(),
  setup: StepProgress.optional(),
  steps: z.array(StepProgress).optional(),
  outputs: z.record(z.string(), z.string()).optional(),
});
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;
