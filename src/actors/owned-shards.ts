import type { RecordedWork } from "./actor.ts";
import { createDeadlines, type Deadlines } from "./deadlines.ts";
import type { InboxEntry, TakeOver } from "./owner-store.ts";

/** A shard while this process owns it. */
export interface OwnedShard {
  readonly shard: number;
  readonly token: string;
  /** Drawn at take-over; part of every assignment id that is made under it. */
  readonly session: string;
  readonly deadlines: Deadlines;
  /** Recorded work by id, and when (ms) it was last handed to its queue. */
  readonly recorded: Map<string, { readonly work: RecordedWork; handedAt: number | undefined }>;
  /** Number of the last commit in the chain. */
  number: number;
  /** Read up to here. */
  readAfter: string;
  /** Read, but not yet decided. */
  pending: InboxEntry[];
  /** Actors that are told of the take-over with the first batch. */
  greet: string[];
  /** How what comes first after a take-over is treated: `one-by-one` if an owner died on it, so that what kills is found (see intake.ts). */
  caution: "first-batch" | "one-by-one" | "none";
  /** Positions struck since the last commit, which clears them: they did not kill this process. */
  struck: string[];
  /** In `one-by-one`, after how many more looks caution ends. */
  cautiousEntries: number;
}

const greeted = ["pool/", "root-group/", "executor/", "executor-group/"];

export function ownShard(options: {
  readonly shard: number;
  readonly token: string;
  readonly session: string;
  readonly found: TakeOver;
}): OwnedShard {
  const { shard, token, session, found } = options;
  const deadlines = createDeadlines();
  for (const { actor, at } of found.deadlines) deadlines.set(actor, at);
  return {
    shard,
    token,
    session,
    deadlines,
    recorded: new Map(found.recorded.map(({ id, work }) => [id, { work, handedAt: undefined }])),
    number: found.number,
    readAfter: "0-0",
    pending: [],
    greet: [...deadlines.actors()].filter((actor) => greeted.some((prefix) => actor.startsWith(prefix))),
    struck: [],
    caution: found.struck ? "one-by-one" : "first-batch",
    cautiousEntries: 200,
  };
}
