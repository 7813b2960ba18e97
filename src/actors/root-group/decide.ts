import { assertNever } from "../../errors.ts";
import { type Context, type Decision, type Effect, nothing } from "../actor.ts";
import { inOrder } from "../sorted-list.ts";
import { makeRoom, startNext, supersede } from "./line.ts";
import { system, toRun } from "./mail.ts";
import type { RootGroupMessage } from "./messages.ts";
import type { QueuedRun, RootGroupChange, RootGroupState } from "./state.ts";
import { sweep } from "./sweep.ts";

export type RootGroupDecision = Decision<RootGroupChange>;
type Told<Type extends RootGroupMessage["type"]> = Extract<RootGroupMessage, { type: Type }>;

/** Decides when queued runs start. A place under a key is held from `start` to `run-ended`, and never counted apart from its run. */
export function decide(state: RootGroupState, message: RootGroupMessage, context: Context): RootGroupDecision {
  switch (message.type) {
    case "enqueue":
      return enqueue(state, message, context);
    case "run-ended":
      return runEnded(state, message.run, context);
    case "maintenance":
      return message.on ? { ...turnMaintenance(state, true), reply: { ok: true } } : endMaintenance(state, context);
    case "taken-over":
    case "tick":
      return sweep(state, message.type, context);
    default:
      return assertNever(message);
  }
}

/** Repeated for a run that has started without a key, it starts it once more, which a running run ignores. */
function enqueue(state: RootGroupState, message: Told<"enqueue">, { now }: Context): RootGroupDecision {
  const { run, priority, createdAt, queueTimeoutMs, concurrency } = message;
  if (state.queued.has(run) || state.holders.has(run)) return nothing;
  const expiresAt = createdAt + queueTimeoutMs;
  const added: QueuedRun = { run, priority, createdAt, expiresAt, concurrency, cancelled: false };
  if (concurrency) return enqueueUnder(state, added, concurrency, now);
  if (state.maintenance) return { changes: [{ type: "queued", run: added }], effects: [] };
  return { changes: [], effects: [toRun(run, { type: "start" })] };
}

function enqueueUnder(
  state: RootGroupState,
  added: QueuedRun,
  { key, limit, policy }: NonNullable<QueuedRun["concurrency"]>,
  now: number,
): RootGroupDecision {
  const line = state.lines.get(key);
  const superseded = policy === "queue" ? [] : supersede(line, added);
  const without = new Set(superseded.map(({ run }) => run));
  const started = state.maintenance ? { changes: [], effects: [] } : startNext({ line, without, added }, now);
  const startsAtOnce = started.changes.some((change) => change.type === "held" && change.holder.run === added.run);
  const stopped = policy === "cancel-running" && !startsAtOnce ? makeRoom(line, limit) : [];
  return {
    changes: [
      ...superseded.map(({ run }): RootGroupChange => ({ type: "cancelled", run, at: now })),
      ...(startsAtOnce ? [] : [{ type: "queued", run: added } as const]),
      ...stopped.map(({ run }): RootGroupChange => ({ type: "stopping", run })),
      ...started.changes,
    ],
    effects: [
      ...superseded.map(({ run }) => toRun(run, { type: "cancel", by: system, reason: "superseded" })),
      ...stopped.map(({ run }) => toRun(run, { type: "stop", by: system, force: false })),
      ...started.effects,
    ],
  };
}

function runEnded(state: RootGroupState, run: string, { now }: Context): RootGroupDecision {
  const key = state.holders.get(run)?.key ?? state.queued.get(run)?.concurrency?.key;
  if (!state.holders.has(run) && !state.queued.has(run)) return nothing;
  const left: RootGroupChange = { type: "left", run };
  if (key === undefined || state.maintenance) return { changes: [left], effects: [] };
  const { changes, effects } = startNext({ line: state.lines.get(key), without: new Set([run]) }, now);
  return { changes: [left, ...changes], effects };
}

function turnMaintenance(state: RootGroupState, on: boolean): RootGroupDecision {
  return state.maintenance === on ? nothing : { changes: [{ type: "maintenance", on }], effects: [] };
}

function endMaintenance(state: RootGroupState, { now }: Context): RootGroupDecision {
  const changes: RootGroupChange[] = [...turnMaintenance(state, false).changes];
  const effects: Effect[] = [];
  for (const { run } of inOrder(state.unkeyed)) {
    changes.push({ type: "left", run });
    effects.push(toRun(run, { type: "start" }));
  }
  for (const line of state.lines.values()) {
    const started = startNext({ line, without: new Set() }, now);
    changes.push(...started.changes);
    effects.push(...started.effects);
  }
  return { changes, effects, reply: { ok: true } };
}
