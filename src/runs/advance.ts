import { assertNever } from "../errors.ts";
import { isFulfilled } from "./conditions.ts";
import type { Graph, TaskNode } from "./graph.ts";
import type { RunStop } from "./run.ts";
import { isTerminalStatus } from "./states.ts";
import { type SkipCause, statusOf, type TaskState } from "./task.ts";

/** What deciding about tasks reads: the state of each by index, and whether the run is being stopped. */
export interface Tasks {
  readonly graph: Graph;
  readonly stop: RunStop | undefined;
  readonly task: (index: number) => TaskState;
}

/** What becomes of a task that waited for its parents. */
export type Ruling =
  | { readonly type: "start" }
  | { readonly type: "await-approval" }
  | { readonly type: "skip"; readonly cause: SkipCause };

export interface RuledTask {
  readonly task: number;
  readonly ruling: Ruling;
}

/**
 * What becomes of one task; undefined if it has been decided, or cannot be yet because a parent is not terminal (A5).
 * Only the current states are read, so the order in which tasks are looked at makes no difference.
 */
export function ruleOn(tasks: Tasks, index: number): Ruling | undefined {
  const node = tasks.graph.tasks[index];
  if (!node || tasks.task(index).stage !== "pending") return undefined;
  if (tasks.stop && !outlives(node, tasks.stop)) return { type: "skip", cause: { type: "stopped" } };
  let mismatch: number | undefined;
  for (const parent of node.parents) {
    const status = statusOf(tasks.task(parent.index));
    if (!isTerminalStatus(status)) return undefined;
    if (mismatch === undefined && !isFulfilled(parent.conditions, status)) mismatch = parent.index;
  }
  if (mismatch !== undefined) return { type: "skip", cause: { type: "condition", parent: mismatch } };
  return node.needsApproval ? { type: "await-approval" } : { type: "start" };
}

/**
 * True for a task that a stop leaves alone: one with an `always` condition, unless the stop is forced. One that needs an
 * approval does not outlive it: in a run that is stopping nobody is waited for, and nothing starts unapproved.
 */
export function outlives(node: TaskNode, stop: RunStop): boolean {
  return !stop.force && node.hasAlways && !node.needsApproval;
}

/** Every task that can be decided on the current states, in level, then name order. A child of one of them is left for the next pass. */
export function advanceOnce(tasks: Tasks): readonly RuledTask[] {
  return rulingsOn(tasks, tasks.graph.tasks.keys());
}

/** `advanceOnce`, repeated on the changed states until nothing changes: all rulings, pass by pass. */
export function advance(tasks: Tasks, now: number): readonly RuledTask[] {
  const changed = new Map<number, TaskState>();
  const current: Tasks = { ...tasks, task: (index) => changed.get(index) ?? tasks.task(index) };
  const all: RuledTask[] = [];
  for (let rulings = advanceOnce(current); rulings.length > 0; rulings = advanceOnce(current)) {
    for (const { task, ruling } of rulings) changed.set(task, ruledState(ruling, now));
    all.push(...rulings);
  }
  return all;
}

/** As `advanceOnce`, looking only at `candidates` (ascending), which must be all tasks that could have changed. */
export function rulingsOn(tasks: Tasks, candidates: Iterable<number>): readonly RuledTask[] {
  const rulings: RuledTask[] = [];
  for (const task of candidates) {
    const ruling = ruleOn(tasks, task);
    if (ruling) rulings.push({ task, ruling });
  }
  return rulings;
}

/** The state of a pending task after a ruling. */
export function ruledState(ruling: Ruling, now: number): TaskState {
  switch (ruling.type) {
    case "start":
      return { stage: "requested", attempts: [], queuedAt: now };
    case "await-approval":
      return { stage: "approval", since: now };
    case "skip":
      return { stage: "ended", status: "skipped", finishedAt: now, attempts: [], skip: ruling.cause };
    default:
      return assertNever(ruling);
  }
}
