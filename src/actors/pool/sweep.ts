import type { Context, Decision, Effect } from "../actor.ts";
import { firstOf, inOrder } from "../sorted-list.ts";
import { sweepEveryMs } from "./apply.ts";
import { toRun } from "./mail.ts";
import { type PoolChange, type PoolState, type Request, taskKey } from "./state.ts";

/** Runs asked, and requests given up, per tick at most: a sweep of a long backlog takes several. */
const perTick = 300;
/** The pause between the ticks of one sweep. */
const nextTickMs = 1_000;

/** When the next request is given up, or the next sweep is due. Undefined for a pool with nothing in it but executors. */
export function deadline(state: PoolState): number | undefined {
  if (state.live.size === 0 && state.waiting.size === 0) return undefined;
  return Math.min(state.sweepAt, firstOf(state.expiries)?.expiresAt ?? Number.POSITIVE_INFINITY);
}

/**
 * Gives up requests whose time is over, and asks runs whether what the pool books for them is still theirs, so that
 * neither a slot nor a request can leak. An answer comes as `release` or `withdraw`; a run that agrees says nothing.
 */
export function sweep(state: PoolState, { now }: Context): Decision<PoolChange> {
  const expired = expiredBy(state, now);
  const gone = new Set(expired.map(({ run, task }) => taskKey(run, task)));
  const assignments = dueIn(state.live, now, new Set());
  const tasks = dueIn(state.waiting, now, gone);
  const found = Math.max(expired.length, assignments.length, tasks.length);
  const idle = state.live.size === 0 && state.waiting.size === 0;
  if (found === 0 && (idle || now < state.sweepAt)) return { changes: [], effects: [] };
  const nextAt = now + (found === perTick ? nextTickMs : sweepEveryMs);
  return {
    changes: [
      ...expired.map(({ run, task }): PoolChange => ({ type: "unqueued", run, task })),
      { type: "swept", at: now, nextAt, assignments, tasks },
    ],
    effects: [
      ...expired.map(({ run, task, attempt }) => toRun(run, { type: "queue-timeout", task, attempt })),
      ...assignments.flatMap((assignment) => checkAssignment(state, assignment)),
      ...tasks.flatMap((task) => checkRequest(state, task)),
    ],
  };
}

function expiredBy(state: PoolState, now: number): readonly Request[] {
  const expired: Request[] = [];
  for (const request of inOrder(state.expiries)) {
    if (request.expiresAt > now || expired.length === perTick) break;
    expired.push(request);
  }
  return expired;
}

/** Keys of those checked longest ago, if that was at least a sweep ago. */
function dueIn(entries: ReadonlyMap<string, { readonly checkedAt: number }>, now: number, except: ReadonlySet<string>): readonly string[] {
  const due: string[] = [];
  for (const [key, { checkedAt }] of entries) {
    if (checkedAt > now - sweepEveryMs || due.length === perTick) break;
    if (!except.has(key)) due.push(key);
  }
  return due;
}

function checkAssignment(state: PoolState, assignment: string): readonly Effect[] {
  const live = state.live.get(assignment);
  return live ? [toRun(live.run, { type: "check-assignment", assignment, executor: live.executor, pool: state.id })] : [];
}

function checkRequest(state: PoolState, key: string): readonly Effect[] {
  const request = state.waiting.get(key)?.request;
  return request ? [toRun(request.run, { type: "check-request", task: request.task, attempt: request.attempt, pool: state.id })] : [];
}
