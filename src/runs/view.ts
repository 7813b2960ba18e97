import { z } from "zod";
import { Condition } from "./definition.ts";
import { AttemptReason } from "./outcome.ts";
import { RunPhase, RunReason, RunResult, StepPhase, TaskStatus } from "./states.ts";

/** RFC 3339, UTC, with milliseconds. */
const Time = z.string();

/** Environment as it is shown: a secret's value is always `***`. */
export const ShownEnvironment = z.record(z.string(), z.union([z.string(), z.object({ secret: z.literal("***") })]));
export type ShownEnvironment = z.infer<typeof ShownEnvironment>;

/** What stands in the way of a task: nothing in the pool offers it. `value` is null where the kind alone says it. */
export const Unmet = z.object({
  kind: z.enum(["pool", "arch", "label", "privileged"]),
  name: z.string(),
  value: z.string().nullable(),
});
export type Unmet = z.infer<typeof Unmet>;

/** Why something that is not terminal has no running pod. The message alone is enough for a person. */
export const WaitingReason = z.discriminatedUnion("type", [
  z.object({ type: z.literal("starting"), message: z.string() }),
  z.object({ type: z.literal("dependency"), message: z.string(), tasks: z.array(z.string()) }),
  z.object({ type: z.literal("approval"), message: z.string() }),
  z.object({
    type: z.literal("concurrency"),
    message: z.string(),
    key: z.string(),
    holders: z.array(z.string()),
    /** From 1; null while it is not known yet. */
    position: z.number().nullable(),
  }),
  z.object({ type: z.literal("no_executor"), message: z.string(), unmet: z.array(Unmet) }),
  z.object({
    type: z.literal("executors_full"),
    message: z.string(),
    busy: z.number(),
    limit: z.number(),
    position: z.number().nullable(),
  }),
  z.object({ type: z.literal("backoff"), message: z.string(), until: Time }),
  z.object({ type: z.literal("pod_pending"), message: z.string() }),
  z.object({ type: z.literal("executor_lost"), message: z.string(), executorId: z.string() }),
  z.object({ type: z.literal("maintenance"), message: z.string() }),
]);
export type WaitingReason = z.infer<typeof WaitingReason>;

/** Why a task was skipped; `task` is the parent that did not match. */
export const SkipReason = z.discriminatedUnion("type", [
  z.object({ type: z.literal("condition"), message: z.string(), task: z.string() }),
  z.object({ type: z.literal("skip"), message: z.string() }),
  z.object({ type: z.literal("stopped"), message: z.string() }),
  z.object({ type: z.literal("rejected"), message: z.string() }),
]);
export type SkipReason = z.infer<typeof SkipReason>;

export const StepView = z.object({
  name: z.string(),
  /** One of the step types, or `setup`. */
  type: z.string(),
  phase: StepPhase,
  exitCode: z.number().int().nullable(),
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
  /** `size` counts bytes of the log so far, or in all once `complete`. */
  log: z.object({ size: z.number(), complete: z.boolean(), deleted: z.boolean() }),
});
export type StepView = z.infer<typeof StepView>;

export const AttemptView = z.object({
  /** From 1. */
  number: z.number().int(),
  executorId: z.string().nullable(),
  phase: StepPhase,
  reason: AttemptReason.nullable(),
  exitCode: z.number().int().nullable(),
  /** The platform's own words. */
  message: z.string().nullable(),
  queuedAt: Time.nullable(),
  assignedAt: Time.nullable(),
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
  setup: StepView,
  steps: z.array(StepView),
});
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z.object({
  status: TaskStatus,
  /** 0 for a task without parents, else one more than its highest parent's. */
  level: z.number().int(),
  depends: z.record(z.string(), z.array(Condition)),
  /** The current or last attempt's number; 0 before the first. */
  attempt: z.number().int(),
  attempts: z.array(AttemptView),
  waitingApproval: z.boolean(),
  /** Who approved or rejected it. */
  approval: z.object({ by: z.string(), at: Time, message: z.string().nullable() }).nullable(),
  waitingReason: WaitingReason.nullable(),
  skipReason: SkipReason.nullable(),
  /** Why it failed or was stopped. */
  reason: AttemptReason.nullable(),
  timedOut: z.boolean(),
  ignoreFailure: z.boolean(),
  outputs: z.record(z.string(), z.string()),
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
  /** The run that really ran it, for a task that a restart kept. */
  reusedFrom: z.object({ runId: z.string() }).nullable(),
});
export type TaskView = z.infer<typeof TaskView>;

export const RunView = z.object({
  id: z.string(),
  number: z.number().int(),
  group: z.string(),
  name: z.string(),
  phase: RunPhase,
  result: RunResult,
  reason: RunReason.nullable(),
  stopping: z.boolean(),
  priority: z.number().int(),
  createdAt: Time,
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
  archived: z.boolean(),
  /** The id of the run that this one restarts. */
  restartOf: z.string().nullable(),
  setupErrors: z.array(z.string()),
  annotations: z.record(z.string(), z.string()),
  environment: ShownEnvironment,
  staticEnvironment: ShownEnvironment,
  waitingReason: WaitingReason.nullable(),
  timedOut: z.boolean(),
  quarantined: z.boolean(),
  canRestartFromScratch: z.boolean(),
  canRestartFromFailed: z.boolean(),
  tasks: z.record(z.string(), TaskView),
});
export type RunView = z.infer<typeof RunView>;

/** How many tasks have each status; a status that none has is absent. */
export const TaskCounts = z.partialRecord(TaskStatus, z.number().int());
export type TaskCounts = z.infer<typeof TaskCounts>;

const eventBase = { id: z.string(), runId: z.string(), seq: z.number().int(), at: Time };

/** A change of a run, in the commit that makes it. `id` is `<runId>-<seq>`; `seq` grows by one within a run, from 1. */
export const RunEvent = z.discriminatedUnion("type", [
  z.object({ ...eventBase, type: z.literal("run"), phase: RunPhase, result: RunResult }),
  z.object({
    ...eventBase,
    type: z.literal("task"),
    task: z.string(),
    status: TaskStatus,
    /** An attempt's reason, a skip reason's type, or `reused` for a task that a restart kept. */
    reason: z.string().nullable(),
  }),
  z.object({
    ...eventBase,
    type: z.literal("attempt"),
    task: z.string(),
    attempt: z.number().int(),
    phase: StepPhase,
    reason: AttemptReason.nullable(),
  }),
]);
export type RunEvent = z.infer<typeof RunEvent>;

/** A run's row in the index of runs. */
export const IndexRow = z.object({
  runId: z.string(),
  number: z.number().int(),
  group: z.string(),
  name: z.string(),
  phase: RunPhase,
  result: RunResult,
  reason: RunReason.nullable(),
  createdAt: Time,
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
  restartOf: z.string().nullable(),
  annotations: z.record(z.string(), z.string()),
  taskCounts: TaskCounts.optional(),
  archived: z.boolean().optional(),
  deleted: z.literal(true).optional(),
});
export type IndexRow = z.infer<typeof IndexRow>;

/** What a restart from failed would do: every task is in one of the lists. */
export const RestartPlan = z.object({
  recreate: z.array(z.object({ task: z.string(), why: z.string() })),
  /** `from` is the id of the run that really ran the task. */
  keep: z.array(z.object({ task: z.string(), from: z.string() })),
});
export type RestartPlan = z.infer<typeof RestartPlan>;
