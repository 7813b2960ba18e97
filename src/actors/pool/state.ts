import type { ExecutorDescription, ExecutorLife } from "../executor/description.ts";
import type { SortedList } from "../sorted-list.ts";
import type { Requirement } from "./messages.ts";

/**
 * The pool's state as its owner holds it in memory: what is stored (executors, backlog, live assignments),
 * indexed so that a placement costs by requirement classes and by kinds of executors, never by tasks.
 * Always true between two messages: no request waits that an executor with a free slot could be given.
 */
export interface PoolState {
  readonly id: string;
  readonly executors: Map<string, PoolExecutor>;
  /** Executors with a free slot, by kind (see `kindOf`), best first. A kind without one is absent. */
  readonly free: Map<string, FreeKind>;
  /** The backlog by task (see `taskKey`), those checked longest ago first. */
  readonly waiting: Map<string, Waiting>;
  /** The backlog by requirement class; the class served longest ago first. A class without requests is absent. */
  readonly classes: Map<string, Backlog>;
  /** The backlog by the time when it is given up. */
  readonly expiries: SortedList<Request>;
  /** Assignments by id, those checked longest ago first. */
  readonly live: Map<string, Live>;
  /** The live assignment of a task: there is at most one (invariant A4). */
  readonly liveOfTask: Map<string, string>;
  /** Live assignments by executor, known to the pool or not; absent if there are none. */
  readonly liveOn: Map<string, Set<string>>;
  /** When (ms) runs are next asked whether entries are still theirs. */
  sweepAt: number;
}

export interface PoolExecutor {
  readonly id: string;
  readonly incarnation: string;
  readonly life: ExecutorLife;
  readonly description: ExecutorDescription;
  /** Of its description, see `kindOf`. */
  readonly kind: string;
  /** Infrastructure failures in a row: a success sets it to 0. */
  readonly failures: number;
  /** Live assignments, as `liveOn` counts them. */
  readonly live: number;
}

export interface FreeKind {
  readonly description: ExecutorDescription;
  readonly executors: SortedList<PoolExecutor>;
}

/** A task that waits for a slot. */
export interface Request {
  readonly run: string;
  readonly task: number;
  readonly attempt: number;
  readonly requirement: Requirement;
  /** Of its requirement, see `classOf`. */
  readonly class: string;
  readonly root: string;
  readonly priority: number;
  readonly runCreatedAt: number;
  readonly avoid: readonly string[];
  readonly queuedAt: number;
  /** When (ms) the run is told that nobody took it. */
  readonly expiresAt: number;
}

export interface Waiting {
  readonly request: Request;
  /** When (ms) the run was last asked; not stored, so that a new owner asks at once. */
  readonly checkedAt: number;
}

export interface Backlog {
  readonly requirement: Requirement;
  /** Requests by root group, in order of `compareRequests`; the group served longest ago first. */
  readonly roots: Map<string, SortedList<Request>>;
}

export interface Live {
  readonly assignment: string;
  readonly executor: string;
  readonly run: string;
  readonly task: number;
  readonly attempt: number;
  readonly checkedAt: number;
}

export type PoolChange =
  /** The task is not in the backlog before: an earlier attempt is unqueued first. */
  | { readonly type: "queued"; readonly request: Request; readonly at: number }
  | { readonly type: "unqueued"; readonly run: string; readonly task: number }
  | {
      readonly type: "assigned";
      readonly assignment: string;
      readonly executor: string;
      readonly at: number;
      /** The task's key if it waited; undefined if it was placed at once, so that nothing of it was ever stored in the backlog. */
      readonly fromBacklog: string | undefined;
    }
  | { readonly type: "released"; readonly assignment: string }
  | { readonly type: "executor-set"; readonly executor: Omit<PoolExecutor, "live"> }
  | { readonly type: "executor-failures"; readonly executor: string; readonly failures: number }
  | { readonly type: "executor-removed"; readonly executor: string }
  | {
      readonly type: "swept";
      readonly at: number;
      readonly nextAt: number;
      readonly assignments: readonly string[];
      readonly tasks: readonly string[];
    };

/** From this many infrastructure failures in a row on, an executor gets one task at a time. */
const failuresTolerated = 3;

/** A field of `pool:<id>:ready`. */
export function taskKey(run: string, task: number): string {
  return `${run}-${task}`;
}

/** How many assignments may live on the executor at once (invariant A8). */
export function slotsOf({ life, failures, description }: Omit<PoolExecutor, "live">): number {
  if (life !== "active") return 0;
  return failures >= failuresTolerated ? 1 : description.taskLimit;
}

export function hasFreeSlot(executor: PoolExecutor): boolean {
  return executor.live < slotsOf(executor);
}

/** Best first: lowest load ratio, then fewest infrastructure failures, then id. */
export function compareExecutors(a: PoolExecutor, b: PoolExecutor): number {
  const load = a.live * slotsOf(b) - b.live * slotsOf(a);
  return load || a.failures - b.failures || byCodeUnits(a.id, b.id);
}

/** Within a root group: priority, then age of the run, then task order. */
export function compareRequests(a: Request, b: Request): number {
  return b.priority - a.priority || a.runCreatedAt - b.runCreatedAt || byCodeUnits(a.run, b.run) || a.task - b.task;
}

export function compareExpiries(a: Request, b: Request): number {
  return a.expiresAt - b.expiresAt || byCodeUnits(a.run, b.run) || a.task - b.task;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function emptyPool(id: string): PoolState {
  return {
    id,
    executors: new Map(),
    free: new Map(),
    waiting: new Map(),
    classes: new Map(),
    expiries: { chunks: [] },
    live: new Map(),
    liveOfTask: new Map(),
    liveOn: new Map(),
    sweepAt: 0,
  };
}
