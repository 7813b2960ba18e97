import type { Letter } from "../redis/mail.ts";
import type { Claim } from "../redis/scripts/claim-shards.ts";
import type { Commit, CommitReply } from "../redis/scripts/commit.ts";
import type { Part, RecordedWork, Stored } from "./actor.ts";

/** What the owner loop needs of Redis. The simulations run the same loop on a twin in memory. */
export interface OwnerStore {
  readonly claim: (claim: Claim) => Promise<ClaimAnswer>;
  readonly release: (scheduler: string, owned: readonly { readonly shard: number; readonly token: string }[]) => Promise<void>;
  readonly takeOver: (shard: number) => Promise<TakeOver>;
  /** Inbox entries after the given positions; waits up to `waitMs` for the first. */
  readonly read: (after: readonly InboxPosition[], waitMs: number) => Promise<readonly InboxEntry[]>;
  readonly load: (actors: readonly ActorLocation[]) => Promise<readonly Stored[]>;
  readonly commit: (commit: Commit) => Promise<CommitReply>;
  /** Resolves once everything committed so far is as durable as promised. */
  readonly confirm: () => Promise<void>;
  /** Which executors there are, their pools, and the incarnation in their heartbeat key (undefined: expired). */
  readonly heartbeats: (shards: ReadonlySet<number>) => Promise<readonly Heartbeat[]>;
  /**
   * Notes that this process tries `position` after a take-over; answers how many processes have since its last success, without
   * those that are still registered: one that merely lost its connection or its lease proves nothing against a message.
   */
  readonly strike: (shard: number, position: string, scheduler: string) => Promise<number>;
}

export interface ClaimAnswer {
  readonly now: number;
  readonly history: string;
  readonly kept: readonly number[];
  readonly released: readonly number[];
  readonly taken: readonly number[];
}

export interface TakeOver {
  /** Number of the last commit in the shard's chain. */
  readonly number: number;
  readonly deadlines: readonly { readonly actor: string; readonly at: number }[];
  readonly recorded: readonly { readonly id: string; readonly work: RecordedWork }[];
  /** True if a batch after an earlier take-over was begun and never committed. */
  readonly struck: boolean;
}

export interface InboxPosition {
  readonly shard: number;
  readonly after: string;
}

export interface InboxEntry {
  readonly shard: number;
  readonly id: string;
  /** Undefined if the entry does not parse: it goes to the dead letters. */
  readonly letters: readonly Letter[] | undefined;
  readonly raw: string;
}

export interface ActorLocation {
  readonly shard: number;
  readonly actor: string;
  readonly parts: readonly Part[];
}

export interface Heartbeat {
  readonly executor: string;
  readonly pool: string;
  readonly shard: number;
  readonly incarnation: string | undefined;
}
