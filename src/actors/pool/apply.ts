import { assertNever } from "../../errors.ts";
import { parseAssignmentId } from "../../ids.ts";
import { insertSorted, isEmpty, removeSorted } from "../sorted-list.ts";
import {
  compareExecutors,
  compareExpiries,
  compareRequests,
  hasFreeSlot,
  type Live,
  type PoolChange,
  type PoolExecutor,
  type PoolState,
  type Request,
  taskKey,
  type Waiting,
} from "./state.ts";

/** While something waits or lives, runs are asked this often (ms) whether it is still theirs. */
export const sweepEveryMs = 30_000;

/** Alters the owner's state in place; every index follows from the same change. */
export function apply(state: PoolState, change: PoolChange): PoolState {
  switch (change.type) {
    case "queued":
      wakeSweep(state, change.at);
      enqueue(state, { request: change.request, checkedAt: change.at });
      return state;
    case "unqueued":
      dequeue(state, taskKey(change.run, change.task));
      return state;
    case "assigned":
      wakeSweep(state, change.at);
      assign(state, change);
      return state;
    case "released":
      release(state, change.assignment);
      return state;
    case "executor-set":
      setExecutor(state, { ...change.executor, live: liveCount(state, change.executor.id) });
      return state;
    case "executor-failures": {
      const executor = state.executors.get(change.executor);
      if (executor) setExecutor(state, { ...executor, failures: change.failures });
      return state;
    }
    case "executor-removed":
      unlist(state, change.executor);
      state.executors.delete(change.executor);
      return state;
    case "swept":
      state.sweepAt = change.nextAt;
      for (const assignment of change.assignments) moveBack(state.live, assignment, change.at);
      for (const task of change.tasks) moveBack(state.waiting, task, change.at);
      return state;
    default:
      return assertNever(change);
  }
}

/** Adds to the backlog; also used to rebuild it from what is stored. */
export function enqueue(state: PoolState, waiting: Waiting): void {
  const { request } = waiting;
  const name = request.class;
  const backlog = state.classes.get(name) ?? { requirement: request.requirement, roots: new Map() };
  const line = backlog.roots.get(request.root) ?? { chunks: [] };
  insertSorted(line, compareRequests, request);
  backlog.roots.set(request.root, line);
  state.classes.set(name, backlog);
  state.waiting.set(taskKey(request.run, request.task), waiting);
  insertSorted(state.expiries, compareExpiries, request);
}

/** Books an assignment; also used to rebuild the book from what is stored. */
export function book(state: PoolState, live: Live): void {
  state.live.set(live.assignment, live);
  state.liveOfTask.set(taskKey(live.run, live.task), live.assignment);
  const on = state.liveOn.get(live.executor) ?? new Set();
  on.add(live.assignment);
  state.liveOn.set(live.executor, on);
  recount(state, live.executor);
}

/** Sets an executor and keeps it listed among the free ones exactly if it has a free slot. */
export function setExecutor(state: PoolState, executor: PoolExecutor): void {
  unlist(state, executor.id);
  state.executors.set(executor.id, executor);
  if (!hasFreeSlot(executor)) return;
  const { kind } = executor;
  const free = state.free.get(kind) ?? { description: executor.description, executors: { chunks: [] } };
  insertSorted(free.executors, compareExecutors, executor);
  state.free.set(kind, free);
}

export function liveCount(state: PoolState, executor: string): number {
  return state.liveOn.get(executor)?.size ?? 0;
}

function unlist(state: PoolState, id: string): void {
  const executor = state.executors.get(id);
  if (!executor || !hasFreeSlot(executor)) return;
  const { kind } = executor;
  const free = state.free.get(kind);
  if (!free) return;
  removeSorted(free.executors, compareExecutors, executor);
  if (isEmpty(free.executors)) state.free.delete(kind);
}

function recount(state: PoolState, id: string): void {
  const executor = state.executors.get(id);
  if (executor) setExecutor(state, { ...executor, live: liveCount(state, id) });
}

function assign(state: PoolState, { assignment, executor, at, fromBacklog }: Extract<PoolChange, { type: "assigned" }>): void {
  const parts = parseAssignmentId(assignment);
  if (!parts) throw new Error(`not an assignment id: ${assignment}`);
  const { runId: run, task, attempt } = parts;
  const request = fromBacklog === undefined ? undefined : dequeue(state, fromBacklog);
  if (request) toTheEndOfTheLine(state, request);
  book(state, { assignment, executor, run, task, attempt, checkedAt: at });
}

/** Round-robin: after being served, a class waits for the other classes, and a root group for the other groups of the class. */
function toTheEndOfTheLine(state: PoolState, request: Request): void {
  const name = request.class;
  const backlog = state.classes.get(name);
  if (!backlog) return;
  state.classes.delete(name);
  state.classes.set(name, backlog);
  const line = backlog.roots.get(request.root);
  if (!line) return;
  backlog.roots.delete(request.root);
  backlog.roots.set(request.root, line);
}

function dequeue(state: PoolState, task: string): Request | undefined {
  const request = state.waiting.get(task)?.request;
  if (!request) return undefined;
  state.waiting.delete(task);
  removeSorted(state.expiries, compareExpiries, request);
  const name = request.class;
  const backlog = state.classes.get(name);
  const line = backlog?.roots.get(request.root);
  if (!backlog || !line) return request;
  removeSorted(line, compareRequests, request);
  if (isEmpty(line)) backlog.roots.delete(request.root);
  if (backlog.roots.size === 0) state.classes.delete(name);
  return request;
}

function release(state: PoolState, assignment: string): void {
  const live = state.live.get(assignment);
  if (!live) return;
  state.live.delete(assignment);
  const task = taskKey(live.run, live.task);
  if (state.liveOfTask.get(task) === assignment) state.liveOfTask.delete(task);
  const on = state.liveOn.get(live.executor);
  on?.delete(assignment);
  if (on?.size === 0) state.liveOn.delete(live.executor);
  recount(state, live.executor);
}

function wakeSweep(state: PoolState, at: number): void {
  if (state.live.size === 0 && state.waiting.size === 0) state.sweepAt = at + sweepEveryMs;
}

/** Both books are kept in the order of their last check. */
function moveBack<Entry extends { readonly checkedAt: number }>(entries: Map<string, Entry>, key: string, at: number): void {
  const entry = entries.get(key);
  if (!entry) return;
  entries.delete(key);
  entries.set(key, { ...entry, checkedAt: at });
}
