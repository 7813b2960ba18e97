import { outlives } from "../../runs/advance.ts";
import { runDeadline, taskDeadline } from "../../runs/deadlines.ts";
import { noTasks, type Run, type RunHead, type StatusCounts } from "../../runs/run.ts";
import { isTerminalPhase, isTerminalStatus } from "../../runs/states.ts";
import { isActive, statusOf, type TaskState } from "../../runs/task.ts";

/** A run that Redis knows, or one that only ost still knows, or nobody. */
export type RunState = KnownRun | AbsentRun;

export interface AbsentRun {
  readonly type: "absent";
  readonly id: string;
  /** True while a tombstone says that the run is in ost. */
  readonly isArchived: boolean;
}

/** A run with what its owner derives from it, so that a message costs what it changes. Private to its owner: `apply` alters it in place. */
export interface KnownRun extends Run {
  readonly type: "known";
  head: RunHead;
  readonly tasks: TaskState[];
  readonly index: RunIndex;
  /** Records of tasks that have not changed since they were written; only for runs that are written as a whole. */
  readonly texts: (string | undefined)[];
}

/** Derived from head and tasks alone; never stored. */
export interface RunIndex {
  readonly counts: StatusCounts;
  /** Failed tasks that do not ignore their failure. */
  failures: number;
  /** Per task, how many of its parents are not terminal. */
  readonly openParents: number[];
  /** Tasks in a stage in which somebody owes an answer, or a deadline is set. */
  readonly active: Set<number>;
  /** Pending tasks that can be decided: every parent is terminal, or the run's stop dooms them. */
  decidable: Set<number>;
  /** Nothing of the run is due earlier than this (ms). */
  dueAt: number;
}

/** What a decision changes. A task's or the head's new state replaces the old one. */
export type RunChange =
  | { readonly type: "task"; readonly task: number; readonly to: TaskState }
  | { readonly type: "head"; readonly to: RunHead }
  /** From a tick: exactly when the run is due next (ms). */
  | { readonly type: "due"; readonly at: number }
  | { readonly type: "forget"; readonly isArchived: boolean };

/** The state of a run that was read from Redis; costs as much as the run has tasks. */
export function indexRun(run: Run): KnownRun {
  const index: RunIndex = {
    counts: noTasks(),
    failures: 0,
    openParents: run.graph.tasks.map((node) => node.parents.length),
    active: new Set(),
    decidable: new Set(),
    dueAt: runDeadline(run) ?? Number.POSITIVE_INFINITY,
  };
  const known: KnownRun = { ...run, type: "known", tasks: [...run.tasks], index, texts: [] };
  for (const [task, state] of known.tasks.entries()) {
    index.counts[statusOf(state)]++;
    if (isActive(state)) index.active.add(task);
    noteDeadline(known, task, state);
    if (isTerminalStatus(statusOf(state))) countEnd(known, task, state);
  }
  index.decidable = decidableTasks(known);
  return known;
}

export function applyChange(state: RunState, change: RunChange): RunState {
  if (change.type === "forget") return { type: "absent", id: idOf(state), isArchived: change.isArchived };
  if (state.type === "absent") throw new Error(`a change of a run that is not known: ${state.id}`);
  switch (change.type) {
    case "task":
      applyTask(state, change.task, change.to);
      return state;
    case "head":
      applyHead(state, change.to);
      return state;
    case "due":
      state.index.dueAt = change.at;
      return state;
  }
}

export function idOf(state: RunState): string {
  return state.type === "known" ? state.facts.id : state.id;
}

function applyTask(run: KnownRun, task: number, to: TaskState): void {
  const { index } = run;
  const from = run.tasks[task];
  if (!from) throw new Error(`no such task: ${task}`);
  run.tasks[task] = to;
  if (task < run.texts.length) run.texts[task] = undefined;
  index.counts[statusOf(from)]--;
  index.counts[statusOf(to)]++;
  if (isActive(to)) index.active.add(task);
  else index.active.delete(task);
  index.decidable.delete(task);
  noteDeadline(run, task, to);
  if (isTerminalStatus(statusOf(to)) && !isTerminalStatus(statusOf(from))) countEnd(run, task, to);
}

/** Tells the children of a task that it is terminal. */
function countEnd({ index, graph, tasks }: KnownRun, task: number, state: TaskState): void {
  const node = graph.tasks[task];
  if (!node) return;
  if (statusOf(state) === "failed" && !node.ignoreFailure) index.failures++;
  for (const child of node.children) {
    const open = (index.openParents[child] ?? 0) - 1;
    index.openParents[child] = open;
    if (open === 0 && tasks[child]?.stage === "pending") index.decidable.add(child);
  }
}

function applyHead(run: KnownRun, to: RunHead): void {
  const isNewStop = to.stop !== undefined && to.stop.force !== run.head.stop?.force;
  run.head = to;
  if (isNewStop) run.index.decidable = decidableTasks(run);
  run.index.dueAt = Math.min(run.index.dueAt, runDeadline(run) ?? Number.POSITIVE_INFINITY);
}

function noteDeadline({ index, graph }: KnownRun, task: number, state: TaskState): void {
  const node = graph.tasks[task];
  const at = node && taskDeadline(node, state);
  if (at !== undefined && at < index.dueAt) index.dueAt = at;
}

/** All pending tasks that can be decided under `stop`, ascending: a visit of all tasks. */
export function decidableTasks({ graph, tasks, index, head }: Pick<KnownRun, "graph" | "tasks" | "index" | "head">): Set<number> {
  const decidable = new Set<number>();
  for (const node of graph.tasks) {
    if (tasks[node.index]?.stage !== "pending") continue;
    if (index.openParents[node.index] === 0 || (head.stop && !outlives(node, head.stop))) decidable.add(node.index);
  }
  return decidable;
}

/** When (ms) the run wants its next tick: 0 if it has more to decide than one decision may hold. */
export function deadlineOf(state: RunState): number | undefined {
  if (state.type === "absent" || isTerminalPhase(state.head.phase)) return undefined;
  if (state.index.decidable.size > 0 && mayAdvance(state.head)) return 0;
  return Number.isFinite(state.index.dueAt) ? state.index.dueAt : undefined;
}

/** True if the run's tasks are being decided: it runs, and is not put aside for somebody to look at. */
export function mayAdvance({ phase, quarantine, stop }: RunHead): boolean {
  return phase === "running" && (quarantine === undefined || stop !== undefined);
}
