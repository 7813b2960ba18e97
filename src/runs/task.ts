import type { AttemptReason, StepProgress } from "./outcome.ts";
import type { TaskStatus, TerminalTaskStatus } from "./states.ts";

/**
 * A task of a run, by what it waits for. Times in ms. A state is never altered, only replaced.
 *
 * pending -> (approval ->) requested -> assigned -> live -> ended, with live or assigned -> backoff -> requested for a retry;
 * every one of them may also end at once. The status that people see follows from the stage (`statusOf`).
 */
export type TaskState = Pending | AwaitingApproval | Requested | Assigned | Live | BackingOff | Ended;

/** Its parents are not all terminal, or nobody has looked yet. */
export interface Pending {
  readonly stage: "pending";
}

export interface AwaitingApproval {
  readonly stage: "approval";
  readonly since: number;
}

/** What every later stage carries. */
interface Begun {
  readonly attempts: readonly EndedAttempt[];
  readonly approval?: Approval;
}

/** The pool has been asked for an executor. From now on only the pool's answer ends it. */
export interface Requested extends Begun {
  readonly stage: "requested";
  readonly queuedAt: number;
  /** The request has been taken back; the pool has not answered yet. */
  readonly withdrawal?: { readonly at: number; readonly why: StopCause | "queue_timeout" };
}

interface Placed extends Begun {
  readonly assignment: string;
  readonly executor: string;
  readonly queuedAt: number;
  readonly assignedAt: number;
  readonly setup?: StepProgress;
  /** The executor has been told to end the attempt. */
  readonly stop?: AttemptStop;
}

/** An executor has it; its pod does not run yet. `message` is the platform's own. */
export interface Assigned extends Placed {
  readonly stage: "assigned";
  readonly message?: string;
}

/** Its pod runs. */
export interface Live extends Placed {
  readonly stage: "live";
  readonly startedAt: number;
  readonly steps: readonly StepProgress[];
}

export interface BackingOff extends Begun {
  readonly stage: "backoff";
  readonly until: number;
}

export interface Ended {
  readonly stage: "ended";
  readonly status: TerminalTaskStatus;
  readonly finishedAt: number;
  readonly attempts: readonly EndedAttempt[];
  readonly approval?: Approval;
  /** Why it failed or was stopped. */
  readonly reason?: AttemptReason;
  /** Why it was skipped. */
  readonly skip?: SkipCause;
  readonly outputs?: Readonly<Record<string, string>>;
  /** It was kept by a restart: everything else about it is in the stored definition. */
  readonly kept?: true;
  readonly logsDeleted?: true;
}

export interface EndedAttempt {
  readonly phase: "success" | "failed" | "stopped";
  readonly reason?: AttemptReason;
  readonly message?: string;
  readonly exitCode?: number;
  readonly executor?: string;
  readonly queuedAt: number;
  readonly assignedAt?: number;
  readonly startedAt?: number;
  readonly finishedAt: number;
  /** False if no step ever began: it cost no budget. */
  readonly ranStep: boolean;
  readonly setup?: StepProgress;
  readonly steps?: readonly StepProgress[];
}

/** Who approved or rejected a task. The request's id makes a repeat of it recognisable. */
export interface Approval {
  readonly at: number;
  readonly by: string;
  readonly message?: string;
  readonly requestId?: string;
}

/** Why a whole run's tasks are being ended. */
export type StopCause = "stopped" | "run_timeout" | "internal";

export interface AttemptStop {
  readonly at: number;
  readonly why: StopCause | "timeout" | "start_timeout";
}

/** Why a task was skipped; `parent` is the index of the one whose status did not match. */
export type SkipCause = { readonly type: "condition"; readonly parent: number } | { readonly type: "skip" | "stopped" | "rejected" };

export const pending: Pending = { stage: "pending" };

/** A stage in which somebody owes the run an answer, or a deadline is set. */
export type ActiveTask = Exclude<TaskState, Pending | Ended>;

export function isActive(task: TaskState): task is ActiveTask {
  return task.stage !== "pending" && task.stage !== "ended";
}

/** A task stays `running` between attempts once the pod of one has run. */
export function statusOf(task: TaskState): TaskStatus {
  switch (task.stage) {
    case "pending":
    case "approval":
      return "notstarted";
    case "live":
      return "running";
    case "ended":
      return task.status;
    default:
      return hasRun(task.attempts) ? "running" : "notstarted";
  }
}

/** True if the pod of one of the attempts ran. */
export function hasRun(attempts: readonly EndedAttempt[]): boolean {
  return attempts.some((attempt) => attempt.startedAt !== undefined);
}

/** The number of the current attempt, or of the last one; 0 before the first. A request that was taken back has no number. */
export function attemptNumber(task: TaskState): number {
  switch (task.stage) {
    case "pending":
    case "approval":
      return 0;
    case "requested":
    case "assigned":
    case "live":
      return task.attempts.length + 1;
    default:
      return task.attempts.length;
  }
}
