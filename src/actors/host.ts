import type { Actor, Context, Decision, Part, Reply, StateWrite, Stored } from "./actor.ts";

/** `local`: a decision of this process made the message, so its type is known. `mail`: it came as text, and is parsed. */
export type Origin = "local" | "mail";

/** One live actor in its owner's cache: the state, and the changes that are not yet committed. */
export interface Instance {
  /**
   * Parses and decides a message, and applies what was decided to the cached state.
   * Throws without having changed anything if the message does not parse or `decide` throws.
   */
  readonly receive: (
    message: unknown,
    context: Context,
    origin: Origin,
  ) => { readonly effects: Decision<unknown>["effects"]; readonly reply?: Reply };
  /** True if there are changes to commit. */
  readonly dirty: () => boolean;
  /** What to commit for the changes since the last call. */
  readonly write: () => StateWrite;
  readonly deadline: () => number | undefined;
  /** As `weigh` of the actor. */
  readonly weight: () => number;
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
        receive: (raw, context, origin) => {
          // A decision names its recipient and message together, both typed; only the owner's queue forgets the type.
          const message = origin === "local" ? (raw as Message) : actor.parseMessage(raw);
          const decision = actor.decide(state, message, context);
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
        weight: () => actor.weigh?.(state) ?? 0,
      };
    },
  };
}
