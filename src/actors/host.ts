import type { Actor, Context, Decision, Part, Reply, StateWrite, Stored } from "./actor.ts";

/** One live actor in its owner's cache: the state, and the changes that are not yet committed. */
export interface Instance {
  /**
   * Parses and decides a message, and applies what was decided to the cached state.
   * Throws without having changed anything if the message does not parse or `decide` throws.
   */
  readonly receive: (message: unknown, context: Context) => { readonly effects: Decision<unknown>["effects"]; readonly reply?: Reply };
  /** True if there are changes to commit. */
  readonly dirty: () => boolean;
  /** What to commit for the changes since the last call. */
  readonly write: () => StateWrite;
  readonly deadline: () => number | undefined;
}

/** An actor type with its state's type closed over, so that the owner can host all kinds alike. */
export interface Host {
  readonly kind: Actor<unknown, unknown, unknown>["kind"];
  readonly parts: (id: string) => readonly Part[];
  /** Throws if what is stored cannot be read. */
  readonly open: (id: string, stored: Stored) => Instance;
}

export function createHost<State, Message, Change>(actor: Actor<State, Message, Change>): Host {
  return {
    kind: actor.kind,
    parts: actor.parts,
    open: (id, stored) => {
      let state = actor.decode(id, stored);
      let changes: Change[] = [];
      return {
        receive: (raw, context) => {
          const decision = actor.decide(state, actor.parseMessage(raw), context);
          for (const change of decision.changes) {
            state = actor.apply(state, change);
            changes.push(change);
          }
          return decision;
        },
        dirty: () => changes.length > 0,
        write: () => {
          const write = actor.encode(id, state, changes);
          changes = [];
          return write;
        },
        deadline: () => actor.deadline(state),
      };
    },
  };
}
