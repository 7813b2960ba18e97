import { z } from "zod";
import { AttemptOutcome, StepProgress } from "../../runs/outcome.ts";

const assignment = z.string();

/** Everything the run actor can be told. To add one: an entry here, a case in decide.ts. */
export const RunMessage = z.discriminatedUnion("type", [
  /** From the script that creates a run: its keys exist, its actor does not yet. */
  z.object({ type: z.literal("create"), number: z.number().int() }),
  /** From the root group: the run may leave the queue. */
  z.object({ type: z.literal("start") }),
  z.object({
    type: z.literal("cancel"),
    by: z.string(),
    reason: z.enum(["requested", "queue_timeout", "superseded"]).optional(),
    requestId: z.string().optional(),
  }),
  z.object({ type: z.literal("stop"), by: z.string(), force: z.boolean(), requestId: z.string().optional() }),
  z.object({
    type: z.literal("approve"),
    task: z.string(),
    by: z.string(),
    message: z.string().optional(),
    requestId: z.string().optional(),
  }),
  z.object({
    type: z.literal("reject"),
    task: z.string(),
    by: z.string(),
    message: z.string().optional(),
    requestId: z.string().optional(),
  }),
  /** From the pool, answers to `request` and `withdraw`. `task` is the index in the run's graph. */
  z.object({
    type: z.literal("assigned"),
    task: z.number().int(),
    attempt: z.number().int(),
    assignment,
    executor: z.string(),
  }),
  z.object({ type: z.literal("withdrawn"), task: z.number().int(), attempt: z.number().int() }),
  z.object({ type: z.literal("queue-timeout"), task: z.number().int(), attempt: z.number().int() }),
  /** From the executor. Times are ms by Redis's clock as the executor knows it. */
  z.object({ type: z.literal("attempt-started"), assignment, at: z.number() }),
  z.object({
    type: z.literal("attempt-progress"),
    assignment,
    setup: StepProgress,
    steps: z.array(StepProgress),
    /** Why the pod does not run yet, in the platform's words. */
    message: z.string().max(4096).optional(),
  }),
  /**
   * The attempt's end: from the executor, or from its pool (`executor_lost`). The pod is gone.
   * `executor` and `pool` are the assignment's, so that a run that no longer knows it can still have them let go of it.
   */
  z.object({
    type: z.literal("attempt-ended"),
    assignment,
    outcome: AttemptOutcome,
    executor: z.string().optional(),
    pool: z.string().optional(),
  }),
  /** From a pool's sweep: is this assignment, or this request, still the run's? If not, the run answers `release` or `withdraw`. */
  z.object({ type: z.literal("check-assignment"), assignment, executor: z.string(), pool: z.string() }),
  z.object({ type: z.literal("check-request"), task: z.number().int(), attempt: z.number().int(), pool: z.string() }),
  /** From the root group's sweep: if the run has ended, it answers `run-ended`. */
  z.object({ type: z.literal("check-holder"), root: z.string() }),
  /** From the archiver. */
  z.object({ type: z.literal("definition-written") }),
  z.object({ type: z.literal("archived") }),
  z.object({ type: z.literal("deleted") }),
  z.object({ type: z.literal("delete"), by: z.string(), requestId: z.string().optional() }),
  z.object({ type: z.literal("delete-logs"), task: z.string(), by: z.string(), requestId: z.string().optional() }),
  /** From the owner: a message of this run made `decide` throw, or killed the process. */
  z.object({ type: z.literal("quarantine"), reason: z.string() }),
  z.object({ type: z.literal("tick") }),
]);
export type RunMessage = z.infer<typeof RunMessage>;

/** The message of that type. */
export type RunMessageOf<Type extends RunMessage["type"]> = Extract<RunMessage, { type: Type }>;
