import { z } from "zod";
import type { StateWrite, Stored } from "../actor.ts";
import { trackFields } from "../hash-fields.ts";
import { enqueue, hold } from "./apply.ts";
import { Concurrency, emptyRootGroup, type RootGroupChange, type RootGroupState } from "./state.ts";

/** `root-group/<root>` in the shard's states. */
const StoredRootGroup = z.object({ v: z.literal(1), maintenance: z.boolean(), sweepAt: z.number(), sweepAfter: z.string() });

/** A field of `root-group:<root>:runs`, named by the run. */
const StoredRun = z.discriminatedUnion("is", [
  z.object({
    is: z.literal("queued"),
    priority: z.number(),
    createdAt: z.number(),
    expiresAt: z.number(),
    concurrency: Concurrency.optional(),
    cancelled: z.boolean(),
  }),
  z.object({ is: z.literal("holder"), key: z.string(), createdAt: z.number(), stopping: z.boolean() }),
]);

/** Throws on anything that `encode` did not write. */
export function decode(id: string, { state: stored, parts: [runs] }: Stored): RootGroupState {
  const state = emptyRootGroup(id);
  if (stored !== null) {
    const { maintenance, sweepAt, sweepAfter } = StoredRootGroup.parse(JSON.parse(stored));
    Object.assign(state, { maintenance, sweepAt, sweepAfter });
  }
  if (typeof runs === "string" || !runs) return state;
  for (const [run, text] of Object.entries(runs)) {
    const entry = StoredRun.parse(JSON.parse(text));
    if (entry.is === "holder") {
      hold(state, { run, key: entry.key, createdAt: entry.createdAt, stopping: entry.stopping });
      continue;
    }
    const { priority, createdAt, expiresAt, concurrency, cancelled } = entry;
    enqueue(state, { run, priority, createdAt, expiresAt, concurrency, cancelled });
  }
  return state;
}

function writeRun(state: RootGroupState, run: string): string | undefined {
  const queued = state.queued.get(run);
  const holder = state.holders.get(run);
  if (queued) {
    const { priority, createdAt, expiresAt, concurrency, cancelled } = queued;
    return JSON.stringify({ is: "queued", priority, createdAt, expiresAt, concurrency, cancelled } satisfies z.infer<typeof StoredRun>);
  }
  if (!holder) return undefined;
  const { key, createdAt, stopping } = holder;
  return JSON.stringify({ is: "holder", key, createdAt, stopping } satisfies z.infer<typeof StoredRun>);
}

/** Writes the runs that `changes` left different; forgets a root group where nobody waits or holds, outside of maintenance. */
export function encode(runsKey: string, state: RootGroupState, changes: readonly RootGroupChange[]): StateWrite {
  const runs = trackFields();
  for (const change of changes) {
    switch (change.type) {
      case "queued":
        runs.add(change.run.run);
        break;
      case "held":
        if (change.fromQueue) runs.alter(change.holder.run);
        else runs.add(change.holder.run);
        break;
      case "cancelled":
      case "stopping":
        runs.alter(change.run);
        break;
      case "left":
        runs.remove(change.run);
        break;
      case "maintenance":
      case "swept":
        break;
    }
  }
  const { maintenance, sweepAt, sweepAfter } = state;
  const stored: z.infer<typeof StoredRootGroup> = { v: 1, maintenance, sweepAt, sweepAfter };
  const empty = state.queued.size === 0 && state.holders.size === 0 && !maintenance;
  const hash = runs.write(runsKey, (run) => writeRun(state, run));
  return {
    state: empty ? null : JSON.stringify(stored),
    hashes: hash.remove.length > 0 || Object.keys(hash.set).length > 0 ? [hash] : [],
  };
}
