import type { RunFacts } from "./facts.ts";
import type { Graph } from "./graph.ts";
import type { RunPhase, RunReason, RunResult, TaskStatus } from "./states.ts";
import type { StoredDefinition } from "./stored-definition.ts";
import { pending, type StopCause, type TaskState } from "./task.ts";

/** What a run's state is, its tasks apart. Times in ms. Never altered, only replaced. */
export interface RunHead {
  /** False until the actor has taken note of the run that the api created. */
  readonly created: boolean;
  readonly phase: RunPhase;
  readonly result: RunResult;
  readonly reason?: RunReason;
  /** The number of the newest event; 1 is the creation's. */
  readonly seq: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly timedOut?: true;
  /** Desired state: whatever still waits or runs is to end. */
  readonly stop?: RunStop;
  readonly cancellation?: { readonly requestId?: string };
  /** A message of this run could not be decided. */
  readonly quarantine?: { readonly at: number; readonly why: string };
  readonly deletion?: { readonly at: number; readonly by: string };
}

export interface RunStop {
  readonly at: number;
  readonly by: string;
  /** Also ends tasks that are followed whatever becomes of their parents. */
  readonly force: boolean;
  readonly why: StopCause;
  /** Of the request that asked for it, so that a repeat of it is recognised. */
  readonly requestId?: string;
}

/** A run: what is fixed at its creation, and the state that follows from its messages. */
export interface Run {
  readonly stored: StoredDefinition;
  readonly facts: RunFacts;
  readonly graph: Graph;
  readonly head: RunHead;
  /** By index in the graph. */
  readonly tasks: readonly TaskState[];
}

/** A run of which no message has been decided yet. */
export function newRun({ stored, facts, graph }: Pick<Run, "stored" | "facts" | "graph">): Run {
  const finishedAt = facts.phase === "setuperror" ? facts.createdAt : undefined;
  const head = { created: false, phase: facts.phase, result: "unknown", seq: 1, ...(finishedAt !== undefined && { finishedAt }) } as const;
  return { stored, facts, graph, head, tasks: graph.tasks.map(() => pending) };
}

/** How many tasks have each status. */
export type StatusCounts = Record<TaskStatus, number>;

export function noTasks(): StatusCounts {
  return { notstarted: 0, skipped: 0, cancelled: 0, running: 0, stopped: 0, success: 0, failed: 0 };
}

export function isAllTerminal(counts: StatusCounts): boolean {
  return counts.notstarted === 0 && counts.running === 0;
}
