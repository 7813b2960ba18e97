import type { Context, Decision, Effect } from "../actor.ts";
import { firstOf, inOrder } from "../sorted-list.ts";
import { sweepEveryMs } from "./apply.ts";
import { startNext } from "./line.ts";
import { system, toRun } from "./mail.ts";
import type { QueuedRun, RootGroupChange, RootGroupState } from "./state.ts";

/** Runs asked, and runs cancelled, per tick at most. */
const perTick = 300;
/** The pause between the ticks of one sweep. */
const nextTickMs = 1_000;

/** When the next run has waited too long, or the next sweep is due; undefined if nobody waits or holds a place. */
export function deadline(state: RootGroupState): number | undefined {
  const expiry = firstOf(state.expiries)?.expiresAt;
  const sweepAt = state.holders.size > 0 || state.cancelled.size > 0 ? state.sweepAt : undefined;
  if (expiry === undefined || sweepAt === undefined) return expiry ?? sweepAt;
  return Math.min(expiry, sweepAt);
}

/**
 * Cancels who has waited too long, tells those who go in favour of others to stop, and asks those who hold a place, or were told to cancel, whether they have ended:
 * a place whose run is gone is free within a sweep, whatever was lost. The owner asks at once after a take-over.
 */
export function sweep(state: RootGroupState, why: "tick" | "taken-over", { now }: Context): Decision<RootGroupChange> {
  const expired = expiredBy(state, now);
  const cancelled = expired.map(({ run }): RootGroupChange => ({ type: "cancelled", run, at: now }));
  const cancels = expired.map(({ run }) => toRun(run, { type: "cancel", by: system, reason: "queue_timeout" }));
  const started = state.maintenance ? [] : startBehind(state, expired, now);
  const asked = why === "taken-over" || now >= state.sweepAt ? ask(state, now) : { changes: [], effects: [] };
  return {
    changes: [...cancelled, ...started.flatMap(({ changes }) => changes), ...asked.changes],
    effects: [...cancels, ...started.flatMap(({ effects }) => effects), ...asked.effects],
  };
}

function expiredBy(state: RootGroupState, now: number): readonly QueuedRun[] {
  const expired: QueuedRun[] = [];
  for (const run of inOrder(state.expiries)) {
    if (run.expiresAt > now || expired.length === perTick) break;
    expired.push(run);
  }
  return expired;
}

/** Who goes may have kept others waiting that have more room under their own limit. */
function startBehind(state: RootGroupState, expired: readonly QueuedRun[], now: number): readonly Decision<RootGroupChange>[] {
  const without = new Set(expired.map(({ run }) => run));
  const keys = new Set(expired.flatMap(({ concurrency }) => (concurrency ? [concurrency.key] : [])));
  return [...keys].map((key) => startNext({ line: state.lines.get(key), without }, now));
}

function ask(state: RootGroupState, now: number): Decision<RootGroupChange> {
  const runs = [...state.holders.keys(), ...state.cancelled];
  if (runs.length === 0) return { changes: [], effects: [] };
  const asked = runs
    .filter((run) => run > state.sweepAfter)
    .sort()
    .slice(0, perTick);
  const more = asked.length === perTick;
  const effects: Effect[] = asked.flatMap((run) => {
    const check = toRun(run, { type: "check-holder", root: state.id });
    // The first stop may have come before the start, and a run that is queued refuses it.
    return state.holders.get(run)?.stopping ? [check, toRun(run, { type: "stop", by: system, force: false })] : [check];
  });
  const nextAt = now + (more ? nextTickMs : sweepEveryMs);
  return { changes: [{ type: "swept", nextAt, after: more ? (asked.at(-1) ?? "") : "" }], effects };
}
