import { assertNever } from "../errors.ts";
import type { StepProgress } from "./outcome.ts";
import { attemptPhases, attemptReasons, attemptStops, endStatuses, skipCauses, stages, stepPhases, withdrawals } from "./record-codes.ts";
import { defined, RowReader } from "./record-row.ts";
import type { Approval, Assigned, AttemptStop, Ended, EndedAttempt, Live, Requested, SkipCause, TaskState } from "./task.ts";

type Begun = Pick<Ended, "attempts" | "approval">;

/** The state that `encodeTask` made a record of; throws on what it would not have made. */
export function decodeTask(record: unknown, createdAt: number): TaskState {
  const reader = new RowReader(record);
  const stage = reader.name(0, stages);
  if (stage === "approval") return { stage, since: reader.number(1) + createdAt };
  const begun = defined({
    attempts: reader.rows(1).map((attempt) => decodeAttempt(attempt, createdAt)),
    approval: reader.optional(2, (at) => decodeApproval(reader.row(at), createdAt)),
  });
  switch (stage) {
    case "requested":
      return decodeRequested(reader, begun, createdAt);
    case "assigned":
    case "live":
      return decodePlaced(reader, { ...begun, stage }, createdAt);
    case "backoff":
      return { ...begun, stage, until: reader.number(3) + createdAt };
    case "ended":
      return decodeEnded(reader, begun, createdAt);
    default:
      return assertNever(stage);
  }
}

function decodeRequested(reader: RowReader, begun: Begun, createdAt: number): Requested {
  const withdrawal = reader.optional(4, (at) => {
    const taken = reader.row(at);
    return { at: taken.number(0) + createdAt, why: taken.name(1, withdrawals) };
  });
  return { ...begun, stage: "requested", queuedAt: reader.number(3) + createdAt, ...(withdrawal && { withdrawal }) };
}

function decodePlaced(reader: RowReader, begun: Begun & { readonly stage: "assigned" | "live" }, createdAt: number): Assigned | Live {
  const { stage, ...rest } = begun;
  const placed = defined({
    ...rest,
    queuedAt: reader.number(3) + createdAt,
    stop: reader.optional(4, (at) => decodeStop(reader.row(at), createdAt)),
    assignedAt: reader.number(5) + createdAt,
    assignment: reader.text(6),
    executor: reader.text(7),
    setup: reader.optional(8, (at) => decodeStep(reader.row(at), createdAt)),
  });
  if (stage === "live") {
    const steps = reader.rows(10).map((step) => decodeStep(step, createdAt));
    return { ...placed, stage, startedAt: reader.number(9) + createdAt, steps };
  }
  return { ...placed, stage, ...defined({ message: reader.optional(9, (at) => reader.text(at)) }) };
}

function decodeEnded(reader: RowReader, begun: Begun, createdAt: number): Ended {
  const ended = { ...begun, stage: "ended", finishedAt: reader.number(3) + createdAt, status: reader.name(4, endStatuses) } as const;
  return {
    ...ended,
    ...defined({
      reason: reader.optional(5, (at) => reader.name(at, attemptReasons)),
      skip: reader.optional(6, (at) => decodeSkip(reader.row(at))),
      outputs: reader.optional(7, (at) => reader.texts(at)),
      kept: reader.flag(8),
      logsDeleted: reader.flag(9),
    }),
  };
}

function decodeAttempt(reader: RowReader, createdAt: number): EndedAttempt {
  const time = (at: number) => reader.number(at) + createdAt;
  return defined({
    phase: reader.name(0, attemptPhases),
    queuedAt: time(1),
    assignedAt: reader.optional(2, time),
    startedAt: reader.optional(3, time),
    finishedAt: time(4),
    ranStep: reader.number(5) === 1,
    executor: reader.optional(6, (at) => reader.text(at)),
    reason: reader.optional(7, (at) => reader.name(at, attemptReasons)),
    exitCode: reader.optional(8, (at) => reader.number(at)),
    message: reader.optional(9, (at) => reader.text(at)),
    setup: reader.optional(10, (at) => decodeStep(reader.row(at), createdAt)),
    steps: reader.optional(11, (at) => reader.rows(at).map((step) => decodeStep(step, createdAt))),
  });
}

function decodeStep(reader: RowReader, createdAt: number): StepProgress {
  const time = (at: number) => reader.number(at) + createdAt;
  return defined({
    phase: reader.name(0, stepPhases),
    startedAt: reader.optional(1, time),
    finishedAt: reader.optional(2, time),
    exitCode: reader.optional(3, (at) => reader.number(at)),
    logSize: reader.optional(4, (at) => reader.number(at)),
    logComplete: reader.optional(5, (at) => reader.number(at) === 1),
  });
}

function decodeApproval(reader: RowReader, createdAt: number): Approval {
  return defined({
    at: reader.number(0) + createdAt,
    by: reader.text(1),
    message: reader.optional(2, (at) => reader.text(at)),
    requestId: reader.optional(3, (at) => reader.text(at)),
  });
}

function decodeStop(reader: RowReader, createdAt: number): AttemptStop {
  return { at: reader.number(0) + createdAt, why: reader.name(1, attemptStops) };
}

function decodeSkip(reader: RowReader): SkipCause {
  const type = reader.name(0, skipCauses);
  return type === "condition" ? { type, parent: reader.number(1) } : { type };
}
