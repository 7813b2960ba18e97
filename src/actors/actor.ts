import type { IndexRow, RunEvent } from "../runs/view.ts";

export type ActorKind = "run" | "root-group" | "pool" | "executor" | "executor-group";

/** Whom mail is for. An executor lives in its pool's shard, so its pool is part of its address. */
export type Recipient =
  | { readonly kind: "run"; readonly id: string }
  | { readonly kind: "root-group"; readonly id: string }
  | { readonly kind: "pool"; readonly id: string }
  | { readonly kind: "executor"; readonly id: string; readonly pool: string }
  | { readonly kind: "executor-group"; readonly id: string };

/** What the owner hands to a decision besides state and message. */
export interface Context {
  /** Milliseconds since the epoch by Redis's clock, never less than the last committed one. */
  readonly now: number;
  /** The owner's random session, drawn at take-over; part of every assignment id. */
  readonly session: string;
}

/** The answer to a command. It exists exactly if the decision is committed. */
export type Reply =
  | { readonly ok: true; readonly value?: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Work that leaves Redis. Recorded by a commit, handed to the archive queue once due, repeated until the run says it is done. */
export type RecordedWork =
  | { readonly type: "write-definition"; readonly runId: string; readonly at: number }
  | { readonly type: "archive"; readonly runId: string; readonly at: number }
  | { readonly type: "delete-run"; readonly runId: string; readonly at: number };

/** Everything a decision can cause. The owner writes all of them in the commit of the decision, and performs none before it. */
export type Effect =
  | { readonly type: "send"; readonly to: Recipient; readonly message: unknown }
  | { readonly type: "event"; readonly event: RunEvent }
  | { readonly type: "row"; readonly row: IndexRow }
  /** Puts the assignment into the executor's `todo` and wakes the executor. */
  | { readonly type: "assign"; readonly executor: string; readonly incarnation: string; readonly assignment: string }
  /** The executor has a new incarnation: its `todo` entry names that now, unless it is gone or `stop`. */
  | { readonly type: "readdress"; readonly executor: string; readonly incarnation: string; readonly assignment: string }
  /** Turns the assignment's `todo` entry to `stop`, if it is still there, and wakes the executor. */
  | { readonly type: "stop-assignment"; readonly executor: string; readonly assignment: string }
  /** Removes the assignment from `todo` and `held`: its final report is handled. */
  | { readonly type: "settle-assignment"; readonly executor: string; readonly assignment: string }
  /** Sets fields of the record that executors and readers see. */
  | { readonly type: "executor-record"; readonly executor: string; readonly fields: Readonly<Record<string, string>> }
  /** Revokes an incarnation; the whole commit is refused if the executor's heartbeat is there after all. */
  | { readonly type: "executor-lost"; readonly executor: string }
  /** Deletes record, heartbeat, `todo` and `held`, unless the executor has registered anew: its incarnation is another one then. */
  | { readonly type: "executor-removed"; readonly executor: string; readonly incarnation: string }
  | { readonly type: "record"; readonly id: string; readonly work: RecordedWork }
  | { readonly type: "unrecord"; readonly id: string }
  /** Deletes every key of a run but a tombstone that sends readers to ost until `tombstoneUntil` (ms), and tells a late create its number. */
  | { readonly type: "forget-run"; readonly runId: string; readonly number: number; readonly tombstoneUntil: number };

export interface Decision<Change> {
  readonly changes: readonly Change[];
  readonly effects: readonly Effect[];
  readonly reply?: Reply;
}

/** Delivery is at least once and unordered, so a message that no longer applies changes nothing. */
export const nothing = { changes: [], effects: [] } as const;

/** A state as Redis holds it: its field in `state:<shard>`, and its parts (hash as record, string as string, null if absent). */
export interface Stored {
  readonly state: string | null;
  readonly parts: readonly (Readonly<Record<string, string>> | string | null)[];
}

/** What a commit writes for one actor. `state: null` forgets the actor. */
export interface StateWrite {
  readonly state: string | null;
  readonly hashes: readonly HashWrite[];
}

export interface HashWrite {
  readonly key: string;
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** A key besides the `state:<shard>` field that holds a part of an actor's state. */
export interface Part {
  readonly key: string;
  readonly type: "hash" | "string";
}

/**
 * An actor is data plus one pure function. `decide` must not read the clock, Redis or chance:
 * the owner passes `context`, applies `changes` to its cache, and commits them with all they cause in one script.
 */
export interface Actor<State, Message, Change> {
  readonly kind: ActorKind;
  /** Throws on anything that is not one of the actor's messages. */
  readonly parseMessage: (raw: unknown) => Message;
  /** Never changes `state`; the same input gives the same output. */
  readonly decide: (state: State, message: Message, context: Context) => Decision<Change>;
  /** May alter `state` in place and return it: the owner's cache is private, and dropped when a commit is refused. */
  readonly apply: (state: State, change: Change) => State;
  /** When (ms) the actor next wants a `tick`; a lower bound is enough, since an early tick is harmless. */
  readonly deadline: (state: State) => number | undefined;
  /** Where the state's parts are. */
  readonly parts: (id: string) => readonly Part[];
  /** Never called with a corrupt `Stored` silently accepted: it throws, and the actor is quarantined. */
  readonly decode: (id: string, stored: Stored) => State;
  /** Roughly how many bytes of memory the state takes beyond the length of what it was decoded from; without it, none. */
  readonly weigh?: (state: State) => number;
  /** What to write after `changes` were applied; `changes` tell which parts are dirty. */
  readonly encode: (id: string, state: State, changes: readonly Change[]) => StateWrite;
}
