import type { Logger } from "pino";
import { batchLimits, type WorkItem } from "./batch.ts";
import type { OwnedShard } from "./owned-shards.ts";
import type { InboxEntry, OwnerStore } from "./owner-store.ts";

export interface IntakeOptions {
  readonly strike: OwnerStore["strike"];
  readonly scheduler: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** What killed so many processes is put aside unseen. */
const maxStrikes = 3;
const tickPauseMs = 60_000;

const ticking = (shard: number, actor: string): WorkItem => ({ shard, letters: [[actor, { type: "tick" }]] });
const greeting = (shard: number, actor: string): WorkItem => ({ shard, letters: [[actor, { type: "taken-over" }]], greets: actor });
const entryOf = (entry: InboxEntry): WorkItem => ({ shard: entry.shard, letters: [], entry });
const quarantining = (shard: number, actor: string): WorkItem => ({
  shard,
  letters: [[actor, { type: "quarantine", reason: "a message to it killed its owner" }]],
});

/** What a shard has to decide next: greetings after a take-over, due actors, inbox entries; within the limits of a batch. */
export function createIntake(options: IntakeOptions): (shard: OwnedShard) => Promise<readonly WorkItem[]> {
  const { strike, scheduler, now } = options;
  return async (shard) => {
    const due = shard.deadlines.due(now(), batchLimits.letters);
    if (shard.greet.length + due.length + shard.pending.length === 0) return [];
    if (shard.caution === "one-by-one") return takeOne(options, shard, due);
    if (shard.caution === "first-batch") await strike(shard.shard, "batch", scheduler);
    const items = [...shard.greet.map((actor) => greeting(shard.shard, actor)), ...due.map((actor) => ticking(shard.shard, actor))];
    let letters = items.length;
    let bytes = 0;
    for (const entry of shard.pending) {
      if (letters >= batchLimits.letters || bytes >= batchLimits.bytes) break;
      items.push(entryOf(entry));
      letters += entry.letters?.length ?? 1;
      bytes += entry.raw.length;
    }
    return items;
  };
}

/** After an owner died on a batch of this shard: one at a time, counted, so that what kills is found and put aside unseen. */
async function takeOne(options: IntakeOptions, shard: OwnedShard, due: readonly string[]): Promise<readonly WorkItem[]> {
  const { strike, scheduler, now, log } = options;
  const kills = async (position: string) => {
    shard.struck.push(position);
    return (await strike(shard.shard, position, scheduler)) >= maxStrikes;
  };
  /** A run that kills even by being read cannot be quarantined: it is left alone, or its owners would never get beyond it. */
  const quarantine = async (actors: Iterable<string>) => {
    const items: WorkItem[] = [];
    for (const each of actors) {
      if (each.startsWith("run/") && !(await kills(`quarantine:${each}`))) items.push(quarantining(shard.shard, each));
    }
    return items;
  };
  shard.cautiousEntries -= 1;
  const [actor] = due;
  if (actor !== undefined) {
    if (!(await kills(`tick:${actor}`))) return [ticking(shard.shard, actor)];
    log.error({ actor }, "a tick killed its owner again and again: put aside for a minute");
    shard.deadlines.set(actor, now() + tickPauseMs);
    return await quarantine([actor]);
  }
  const [entry] = shard.pending;
  if (!entry) {
    shard.cautiousEntries = 0;
    return shard.greet.map((each) => greeting(shard.shard, each));
  }
  if (!(await kills(`entry:${entry.id}`))) return [entryOf(entry)];
  log.error({ shard: shard.shard, entry: entry.id }, "an inbox entry killed its owner again and again: put aside unseen");
  const quarantines = await quarantine(new Set((entry.letters ?? []).map(([to]) => to)));
  return [entryOf({ ...entry, letters: undefined }), ...quarantines];
}
