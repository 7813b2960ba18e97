import { assignmentId } from "../../ids.ts";
import type { Context, Decision } from "../actor.ts";
import { inOrder } from "../sorted-list.ts";
import { toRun } from "./mail.ts";
import { fits } from "./requirement.ts";
import {
  type Backlog,
  compareExecutors,
  type PoolChange,
  type PoolExecutor,
  type PoolState,
  type Request,
  slotsOf,
  taskKey,
} from "./state.ts";

/** How far to look past requests that would rather not have an executor. Bounded, so that a slot never costs by tasks. */
const lookAhead = 16;

/** The executor that gets the task now; one that lost it before only if no other is free. Undefined: the task must wait. */
export function chooseExecutor(state: PoolState, request: Pick<Request, "requirement" | "class" | "avoid">): PoolExecutor | undefined {
  // Whoever waits in this class waits because nobody is free for it.
  if (state.classes.has(request.class)) return undefined;
  let best: PoolExecutor | undefined;
  let bestAvoided: PoolExecutor | undefined;
  for (const { description, executors } of state.free.values()) {
    if (!fits(request.requirement, description)) continue;
    for (const executor of inOrder(executors)) {
      if (request.avoid.includes(executor.id)) {
        if (!bestAvoided || compareExecutors(executor, bestAvoided) < 0) bestAvoided = executor;
        continue;
      }
      if (!best || compareExecutors(executor, best) < 0) best = executor;
      break;
    }
  }
  return best ?? bestAvoided;
}

/**
 * The requests that an executor's free slots go to, in turn: a class is taken before those served later than it,
 * within it a root group likewise, within that by `compareRequests`. Reads the state and never changes it:
 * `apply` rotates classes and groups in just this way, once per assignment.
 */
export function* requestsFor(state: PoolState, executor: PoolExecutor): Generator<Request, undefined> {
  return yield* inTurn(classesFor(state, executor));
}

function* classesFor(state: PoolState, executor: PoolExecutor): Generator<Generator<Request, undefined>, undefined> {
  for (const { requirement, roots } of state.classes.values()) {
    if (fits(requirement, executor.description)) yield inTurn(groupsOf(roots, executor.id));
  }
  return undefined;
}

function* groupsOf(roots: Backlog["roots"], executor: string): Generator<Generator<Request, undefined>, undefined> {
  for (const line of roots.values()) yield preferring(inOrder(line), executor);
  return undefined;
}

/** One request of each line, then one more of each, and so on; a line is only looked at when its turn comes. */
function* inTurn(lines: Iterable<Generator<Request, undefined>>): Generator<Request, undefined> {
  const served: Generator<Request, undefined>[] = [];
  for (const line of lines) {
    const { value: request } = line.next();
    if (!request) continue;
    yield request;
    served.push(line);
  }
  for (let line = served.shift(); line; line = served.shift()) {
    const { value: request } = line.next();
    if (!request) continue;
    yield request;
    served.push(line);
  }
  return undefined;
}

/** Gives all free slots of the executor, as it is passed, to what waits (A8). */
export function fill(state: PoolState, executor: PoolExecutor, context: Context): Decision<PoolChange> {
  let slots = slotsOf(executor) - executor.live;
  if (slots <= 0 || state.classes.size === 0) return { changes: [], effects: [] };
  const placed: Decision<PoolChange>[] = [];
  for (const request of requestsFor(state, executor)) {
    placed.push(place({ request, executor, waited: true, context }));
    slots -= 1;
    if (slots === 0) break;
  }
  return { changes: placed.flatMap(({ changes }) => changes), effects: placed.flatMap(({ effects }) => effects) };
}

/**
 * The id is derived from task, attempt and session: deciding the same again names the same pod.
 * `waited` tells a request of the backlog from one that is placed as it arrives.
 */
export function place({ request, executor, waited, context }: Placement): Decision<PoolChange> {
  const { run, task, attempt } = request;
  const { id, incarnation } = executor;
  const fromBacklog = waited ? taskKey(run, task) : undefined;
  const assignment = assignmentId({ runId: run, task, attempt, session: context.session });
  return {
    changes: [{ type: "assigned", assignment, executor: id, at: context.now, fromBacklog }],
    effects: [
      { type: "assign", executor: id, incarnation, assignment },
      toRun(run, { type: "assigned", task, attempt, assignment, executor: id }),
    ],
  };
}

interface Placement {
  readonly request: Request;
  readonly executor: PoolExecutor;
  readonly waited: boolean;
  readonly context: Context;
}

/** In order, but a request that avoids the executor comes after up to `lookAhead` later ones that do not. */
function* preferring(requests: Generator<Request, undefined>, executor: string): Generator<Request, undefined> {
  const avoiding: Request[] = [];
  for (const request of requests) {
    if (!request.avoid.includes(executor)) {
      yield request;
      continue;
    }
    avoiding.push(request);
    const oldest = avoiding.length > lookAhead ? avoiding.shift() : undefined;
    if (oldest) yield oldest;
  }
  yield* avoiding;
  return undefined;
}
