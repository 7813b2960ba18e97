import { assertNever } from "../../errors.ts";
import { insertSorted, isEmpty, removeSorted } from "../sorted-list.ts";
import {
  compareExpiries,
  compareQueued,
  type Holder,
  type Line,
  type QueuedRun,
  type RootGroupChange,
  type RootGroupState,
} from "./state.ts";

/** While a run holds a place, it is asked this often (ms) whether it still needs it. */
export const sweepEveryMs = 30_000;

/** Alters the owner's state in place; the lines follow from the runs. */
export function apply(state: RootGroupState, change: RootGroupChange): RootGroupState {
  switch (change.type) {
    case "queued":
      enqueue(state, change.run);
      return state;
    case "cancelled": {
      const queued = state.queued.get(change.run);
      if (!queued) return state;
      wakeSweep(state, change.at);
      dequeue(state, queued);
      enqueue(state, { ...queued, cancelled: true });
      return state;
    }
    case "held": {
      wakeSweep(state, change.at);
      const queued = state.queued.get(change.holder.run);
      if (queued) dequeue(state, queued);
      hold(state, change.holder);
      return state;
    }
    case "stopping": {
      const holder = state.holders.get(change.run);
      if (holder) hold(state, { ...holder, stopping: true });
      return state;
    }
    case "left":
      leave(state, change.run);
      return state;
    case "maintenance":
      state.maintenance = change.on;
      return state;
    case "swept":
      state.sweepAt = change.nextAt;
      state.sweepAfter = change.after;
      return state;
    default:
      return assertNever(change);
  }
}

/** Adds a run that waits, or that was told to cancel; also used to rebuild the queue from what is stored. */
export function enqueue(state: RootGroupState, run: QueuedRun): void {
  state.queued.set(run.run, run);
  if (run.cancelled) {
    state.cancelled.add(run.run);
    return;
  }
  insertSorted(state.expiries, compareExpiries, run);
  const queue = run.concurrency ? lineOf(state, run.concurrency.key).queue : state.unkeyed;
  insertSorted(queue, compareQueued, run);
}

/** Adds or replaces a holder; also used to rebuild the lines from what is stored. */
export function hold(state: RootGroupState, holder: Holder): void {
  state.holders.set(holder.run, holder);
  lineOf(state, holder.key).holders.set(holder.run, holder);
}

function lineOf(state: RootGroupState, key: string): Line {
  const known = state.lines.get(key);
  if (known) return known;
  const line: Line = { holders: new Map(), queue: { chunks: [] } };
  state.lines.set(key, line);
  return line;
}

function dequeue(state: RootGroupState, run: QueuedRun): void {
  state.queued.delete(run.run);
  state.cancelled.delete(run.run);
  removeSorted(state.expiries, compareExpiries, run);
  const key = run.concurrency?.key;
  const queue = key === undefined ? state.unkeyed : state.lines.get(key)?.queue;
  if (queue) removeSorted(queue, compareQueued, run);
  if (key !== undefined) dropIfEmpty(state, key);
}

function leave(state: RootGroupState, run: string): void {
  const queued = state.queued.get(run);
  if (queued) dequeue(state, queued);
  const holder = state.holders.get(run);
  if (!holder) return;
  state.holders.delete(run);
  state.lines.get(holder.key)?.holders.delete(run);
  dropIfEmpty(state, holder.key);
}

function dropIfEmpty(state: RootGroupState, key: string): void {
  const line = state.lines.get(key);
  if (line && line.holders.size === 0 && isEmpty(line.queue)) state.lines.delete(key);
}

function wakeSweep(state: RootGroupState, at: number): void {
  if (state.holders.size === 0 && state.cancelled.size === 0) state.sweepAt = at + sweepEveryMs;
}
