import { z } from "zod";
import { ExecutorDescription, ExecutorLife } from "../executor/description.ts";

/** What an executor must offer to be given a task. */
export const Requirement = z.object({
  arch: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  privileged: z.boolean().optional(),
});
export type Requirement = z.infer<typeof Requirement>;

/** Everything the pool actor can be told. `task` is the index in the run's graph. */
export const PoolMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("request"),
    run: z.string(),
    task: z.number().int(),
    attempt: z.number().int(),
    requirement: Requirement,
    root: z.string(),
    group: z.string(),
    priority: z.number(),
    runCreatedAt: z.number(),
    queueTimeoutMs: z.number(),
    /** Executors that lost this task before: others are preferred. */
    avoid: z.array(z.string()).optional(),
  }),
  /** The run takes its request back. The pool answers `withdrawn`, unless it has assigned the task meanwhile. */
  z.object({ type: z.literal("withdraw"), run: z.string(), task: z.number().int(), attempt: z.number().int() }),
  /** The run has handled an assignment's end: its slot is free. */
  z.object({
    type: z.literal("release"),
    assignment: z.string(),
    executor: z.string(),
    /** True if the end counts as a failure of the executor, false if it speaks for it, undefined if it says nothing. */
    infrastructureFailure: z.boolean().optional(),
  }),
  /** From the executor actor, on every change of what placement depends on. */
  z.object({
    type: z.literal("executor-changed"),
    executor: z.string(),
    incarnation: z.string(),
    life: ExecutorLife,
    description: ExecutorDescription,
  }),
  /** The executor's pods are proven gone (or an operator forced it): its live assignments end as `executor_lost`. */
  z.object({
    type: z.literal("executor-gone"),
    executor: z.string(),
    /** The incarnation whose pods are gone; a later one's assignments live on. */
    incarnation: z.string().optional(),
  }),
  /** After `executor-gone`: its record is deleted too. */
  z.object({ type: z.literal("executor-removed"), executor: z.string() }),
  z.object({ type: z.literal("taken-over") }),
  z.object({ type: z.literal("tick") }),
]);
export type PoolMessage = z.infer<typeof PoolMessage>;
