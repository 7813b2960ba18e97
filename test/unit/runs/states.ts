import fc from "fast-check";
import type { StepProgress } from "../../../src/runs/outcome.ts";
import { AttemptReason } from "../../../src/runs/outcome.ts";
import type { RunHead, RunStop } from "../../../src/runs/run.ts";
import { RunPhase, RunReason, RunResult, StepPhase } from "../../../src/runs/states.ts";
import type { ActiveTask, Approval, AttemptStop, Ended, EndedAttempt, SkipCause, TaskState } from "../../../src/runs/task.ts";

// Every value that the types allow, whether or not a run ever gets there: what is stored must come back as it was.

const time = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 });
const text = fc.string({ unit: "grapheme" });
const reason = fc.constantFrom(...AttemptReason.options);

const step: fc.Arbitrary<StepProgress> = fc.record(
  {
    phase: fc.constantFrom(...StepPhase.options),
    exitCode: fc.integer(),
    startedAt: time,
    finishedAt: time,
    logSize: fc.nat(),
    logComplete: fc.boolean(),
  },
  { requiredKeys: ["phase"] },
);
const approval: fc.Arbitrary<Approval> = fc.record({ at: time, by: text, message: text, requestId: text }, { requiredKeys: ["at", "by"] });
const attempt: fc.Arbitrary<EndedAttempt> = fc.record(
  {
    phase: fc.constantFrom("success" as const, "failed" as const, "stopped" as const),
    queuedAt: time,
    finishedAt: time,
    ranStep: fc.boolean(),
    reason,
    message: text,
    exitCode: fc.integer(),
    executor: text,
    assignedAt: time,
    startedAt: time,
    setup: step,
    steps: fc.array(step, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["phase", "queuedAt", "finishedAt", "ranStep"] },
);
const attempts = fc.array(attempt, { maxLength: 2 });
const stopCause = fc.constantFrom("stopped" as const, "run_timeout" as const, "internal" as const);
const attemptStop: fc.Arbitrary<AttemptStop> = fc.record({
  at: time,
  why: fc.oneof(stopCause, fc.constantFrom("timeout" as const, "start_timeout" as const)),
});
const skip: fc.Arbitrary<SkipCause> = fc.oneof(
  fc.record({ type: fc.constant("condition" as const), parent: fc.nat() }),
  fc.record({ type: fc.constantFrom("skip" as const, "stopped" as const, "rejected" as const) }),
);
const placed = { attempts, assignment: text, executor: text, queuedAt: time, assignedAt: time };

const active: fc.Arbitrary<ActiveTask> = fc.oneof(
  fc.record({ stage: fc.constant("approval" as const), since: time }),
  fc.record(
    {
      stage: fc.constant("requested" as const),
      attempts,
      queuedAt: time,
      approval,
      withdrawal: fc.record({ at: time, why: fc.oneof(stopCause, fc.constant("queue_timeout" as const)) }),
    },
    { requiredKeys: ["stage", "attempts", "queuedAt"] },
  ),
  fc.record(
    { stage: fc.constant("assigned" as const), ...placed, approval, setup: step, stop: attemptStop, message: text },
    { requiredKeys: ["stage", "attempts", "assignment", "executor", "queuedAt", "assignedAt"] },
  ),
  fc.record(
    {
      stage: fc.constant("live" as const),
      ...placed,
      startedAt: time,
      steps: fc.array(step, { maxLength: 3 }),
      approval,
      setup: step,
      stop: attemptStop,
    },
    { requiredKeys: ["stage", "attempts", "assignment", "executor", "queuedAt", "assignedAt", "startedAt", "steps"] },
  ),
  fc.record({ stage: fc.constant("backoff" as const), attempts, until: time, approval }, { requiredKeys: ["stage", "attempts", "until"] }),
);

const ended: fc.Arbitrary<Ended> = fc.record(
  {
    stage: fc.constant("ended" as const),
    status: fc.constantFrom("skipped" as const, "cancelled" as const, "stopped" as const, "success" as const, "failed" as const),
    finishedAt: time,
    attempts,
    approval,
    reason,
    skip,
    outputs: fc
      .dictionary(fc.string({ minLength: 1 }), text, { noNullPrototype: true })
      .filter((outputs) => !Object.hasOwn(outputs, "__proto__")),
    kept: fc.constant(true as const),
    logsDeleted: fc.constant(true as const),
  },
  { requiredKeys: ["stage", "status", "finishedAt", "attempts"] },
);

export const taskStates: fc.Arbitrary<TaskState> = fc.oneof(fc.constant({ stage: "pending" } as const), active, ended);

const runStop: fc.Arbitrary<RunStop> = fc.record(
  { at: time, by: text, force: fc.boolean(), why: stopCause, requestId: text },
  { requiredKeys: ["at", "by", "force", "why"] },
);

export const heads: fc.Arbitrary<RunHead> = fc.record(
  {
    created: fc.boolean(),
    phase: fc.constantFrom(...RunPhase.options),
    result: fc.constantFrom(...RunResult.options),
    seq: fc.nat(),
    reason: fc.constantFrom(...RunReason.options),
    startedAt: time,
    finishedAt: time,
    timedOut: fc.constant(true as const),
    stop: runStop,
    cancellation: fc.record({ requestId: text }, { requiredKeys: [] }),
    quarantine: fc.record({ at: time, why: text }),
    deletion: fc.record({ at: time, by: text }),
  },
  { requiredKeys: ["created", "phase", "result", "seq"] },
);
