import { assertNever } from "../../errors.ts";
import { type Context, type Decision, type Effect, nothing } from "../actor.ts";
import { liveCount } from "./apply.ts";
import { toRun } from "./mail.ts";
import type { PoolMessage } from "./messages.ts";
import { chooseExecutor, fill, place } from "./placement.ts";
import { classOf, fits, kindOf } from "./requirement.ts";
import { type Live, type PoolChange, type PoolExecutor, type PoolState, type Request, slotsOf, taskKey } from "./state.ts";
import { sweep } from "./sweep.ts";

export type PoolDecision = Decision<PoolChange>;
type Told<Type extends PoolMessage["type"]> = Extract<PoolMessage, { type: Type }>;

/**
 * Places tasks on executors. Every request ends in exactly one of `assigned`, `withdrawn` and `queue-timeout`;
 * a task has one live assignment at most (A4), an executor never more than its slots (A8).
 */
export function decide(state: PoolState, message: PoolMessage, context: Context): PoolDecision {
  switch (message.type) {
    case "request":
      return request(state, message, context);
    case "withdraw":
      return withdraw(state, message);
    case "release":
      return release(state, message, context);
    case "executor-changed":
      return executorChanged(state, message, context);
    case "executor-gone":
      return executorGone(state, message, context);
    case "executor-removed":
      return state.executors.has(message.executor)
        ? { changes: [{ type: "executor-removed", executor: message.executor }], effects: [] }
        : nothing;
    case "taken-over":
    case "tick":
      return sweep(state, context);
    default:
      return assertNever(message);
  }
}

/**
 * Repeated for a task that is assigned already, it is answered once more. A later attempt implies that the run is done
 * with the earlier one, whose `release` may come after it; an earlier attempt is a message from the past.
 */
function request(state: PoolState, message: Told<"request">, context: Context): PoolDecision {
  const { run, task, attempt } = message;
  const key = taskKey(run, task);
  const assignment = state.liveOfTask.get(key);
  const live = assignment === undefined ? undefined : state.live.get(assignment);
  if (live && live.attempt > attempt) return nothing;
  if (live && live.attempt === attempt) return { changes: [], effects: [assigned(live)] };
  const waiting = state.waiting.get(key)?.request;
  if (waiting && waiting.attempt >= attempt) return nothing;

  const wanted = toRequest(message, context.now);
  if (!live) {
    const joined = join(wanted, chooseExecutor(state, wanted), context);
    return waiting ? { ...joined, changes: [{ type: "unqueued", run, task }, ...joined.changes] } : joined;
  }
  const freed = letGo(state, live, undefined, context);
  const joined = join(wanted, chooseExecutor(state, wanted) ?? stillFree(state, live, freed, wanted), context);
  return { changes: [...freed.changes, ...joined.changes], effects: [...freed.effects, ...joined.effects] };
}

/** Places the request, or queues it where nobody is free for it. */
function join(wanted: Request, executor: PoolExecutor | undefined, context: Context): PoolDecision {
  if (executor) return place({ request: wanted, executor, waited: false, context });
  return { changes: [{ type: "queued", request: wanted, at: context.now }], effects: [] };
}

/** The executor whose slot was freed, if nothing that waited took the slot. */
function stillFree(state: PoolState, { executor: id }: Live, freed: PoolDecision, wanted: Request): PoolExecutor | undefined {
  const executor = state.executors.get(id);
  if (!executor || executor.live > slotsOf(executor) || freed.changes.some(({ type }) => type === "assigned")) return undefined;
  return fits(wanted.requirement, executor.description) && slotsOf(executor) > 0 ? executor : undefined;
}

function withdraw(state: PoolState, { run, task, attempt }: Told<"withdraw">): PoolDecision {
  const answer = toRun(run, { type: "withdrawn", task, attempt });
  const assignment = state.liveOfTask.get(taskKey(run, task));
  const live = assignment === undefined ? undefined : state.live.get(assignment);
  // The run got `assigned`, or is about to: that is the answer.
  if (live?.attempt === attempt) return nothing;
  const waits = state.waiting.get(taskKey(run, task))?.request.attempt === attempt;
  return { changes: waits ? [{ type: "unqueued", run, task }] : [], effects: [answer] };
}

function release(state: PoolState, message: Told<"release">, context: Context): PoolDecision {
  const live = state.live.get(message.assignment);
  return live ? letGo(state, live, message.infrastructureFailure, context) : nothing;
}

/** Frees the assignment's slot and gives it to what waits. */
function letGo(state: PoolState, live: Live, infrastructureFailure: boolean | undefined, context: Context): PoolDecision {
  const released: PoolChange = { type: "released", assignment: live.assignment };
  const executor = state.executors.get(live.executor);
  if (!executor) return { changes: [released], effects: [] };
  const failures = failuresAfter(executor.failures, infrastructureFailure);
  const counted: PoolChange[] = failures === executor.failures ? [] : [{ type: "executor-failures", executor: executor.id, failures }];
  const filled = fill(state, { ...executor, failures, live: executor.live - 1 }, context);
  return { changes: [released, ...counted, ...filled.changes], effects: filled.effects };
}

function failuresAfter(failures: number, infrastructureFailure: boolean | undefined): number {
  if (infrastructureFailure === undefined) return failures;
  return infrastructureFailure ? failures + 1 : 0;
}

function executorChanged(state: PoolState, message: Told<"executor-changed">, context: Context): PoolDecision {
  const { executor: id, incarnation, life, description } = message;
  const known = state.executors.get(id);
  const executor = { id, incarnation, life, description, kind: kindOf(description), failures: known?.failures ?? 0 };
  if (known && JSON.stringify({ ...known, live: 0 }) === JSON.stringify({ ...executor, live: 0 })) return nothing;
  const filled = fill(state, { ...executor, live: liveCount(state, id) }, context);
  const renewed = known && known.incarnation !== incarnation ? readdressed(state, id, incarnation) : [];
  return { changes: [{ type: "executor-set", executor }, ...filled.changes], effects: [...renewed, ...filled.effects] };
}

/** What was assigned between the registration and this news of it names the predecessor, which the executor would refuse. */
function readdressed(state: PoolState, executor: string, incarnation: string): readonly Effect[] {
  return [...(state.liveOn.get(executor) ?? [])].map((assignment) => ({ type: "readdress", executor, incarnation, assignment }));
}

/** The assignments keep their places in the book until their runs release them. Idempotent: a run takes an end once. */
function executorGone(state: PoolState, { executor, incarnation }: Told<"executor-gone">, { now }: Context): PoolDecision {
  const known = state.executors.get(executor);
  if (incarnation !== undefined && known && known.incarnation !== incarnation) return nothing;
  const effects: Effect[] = [];
  for (const assignment of state.liveOn.get(executor) ?? []) {
    const live = state.live.get(assignment);
    if (!live) continue;
    // What is known of its steps, the run knows: it has the executor's reports.
    const outcome = { phase: "failed", reason: "executor_lost", message: lossOf(executor), finishedAt: now, ranStep: false } as const;
    effects.push(toRun(live.run, { type: "attempt-ended", assignment, executor, pool: state.id, outcome }));
  }
  return { changes: [], effects };
}

function lossOf(executor: string): string {
  return `executor ${executor} was lost, and none of its pods is left`;
}

function toRequest(message: Told<"request">, now: number): Request {
  const { run, task, attempt, requirement, root, priority, runCreatedAt, queueTimeoutMs, avoid } = message;
  return {
    run,
    task,
    attempt,
    requirement,
    class: classOf(requirement),
    root,
    priority,
    runCreatedAt,
    avoid: avoid ?? [],
    queuedAt: now,
    expiresAt: now + queueTimeoutMs,
  };
}

function assigned({ run, task, attempt, assignment, executor }: Live): Effect {
  return toRun(run, { type: "assigned", task, attempt, assignment, executor });
}
