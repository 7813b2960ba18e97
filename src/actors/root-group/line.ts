import type { Decision } from "../actor.ts";
import { inOrder } from "../sorted-list.ts";
import { toRun } from "./mail.ts";
import { compareAge, compareQueued, type Holder, type Line, type QueuedRun, type RootGroupChange } from "./state.ts";

/** A line as a decision leaves it, before it is applied. */
export interface LineAhead {
  readonly line: Line | undefined;
  /** Runs that are in the line no longer, queued or holding. */
  readonly without: ReadonlySet<string>;
  /** A run that joins the queue. */
  readonly added?: QueuedRun;
}

/** Starts who is next, as long as the key has room for it: strictly in order, so that nobody is overtaken for ever. */
export function startNext({ line, without, added }: LineAhead, now: number): Decision<RootGroupChange> {
  const decision: { changes: RootGroupChange[]; effects: Decision<RootGroupChange>["effects"][number][] } = { changes: [], effects: [] };
  let holders = 0;
  for (const run of line?.holders.keys() ?? []) if (!without.has(run)) holders += 1;
  for (const next of waiting({ line, without, ...(added ? { added } : {}) })) {
    if (!next.concurrency || holders >= next.concurrency.limit) break;
    holders += 1;
    const holder: Holder = { run: next.run, key: next.concurrency.key, createdAt: next.createdAt, stopping: false };
    decision.changes.push({ type: "held", holder, fromQueue: next !== added, at: now });
    decision.effects.push(toRun(next.run, { type: "start" }));
  }
  return decision;
}

/** The queue in order, with the one that joins it. */
function* waiting({ line, without, added }: LineAhead): Generator<QueuedRun, undefined> {
  let joining = added;
  for (const run of line ? inOrder(line.queue) : []) {
    if (without.has(run.run)) continue;
    if (joining && compareQueued(joining, run) < 0) {
      yield joining;
      joining = undefined;
    }
    yield run;
  }
  if (joining) yield joining;
  return undefined;
}

/** `cancel-queued` and `cancel-running`: who was there before gives up its place in the queue. */
export function supersede(line: Line | undefined, by: QueuedRun): readonly QueuedRun[] {
  return line ? [...inOrder(line.queue)].filter((queued) => compareAge(queued, by) < 0) : [];
}

/** `cancel-running`: the oldest holders that must go to make room for one more, besides those that are going already. */
export function makeRoom(line: Line | undefined, limit: number): readonly Holder[] {
  const holders = [...(line?.holders.values() ?? [])];
  const going = holders.filter(({ stopping }) => stopping).length;
  const tooMany = holders.length - going - (limit - 1);
  return tooMany > 0
    ? holders
        .filter(({ stopping }) => !stopping)
        .sort(compareAge)
        .slice(0, tooMany)
    : [];
}
