import { expect } from "vitest";
import type { Actor, Decision, Effect, Stored } from "../../../src/actors/actor.ts";

/** One actor on a stage: it is told things as an owner would tell it, and what it must never do is checked each time. */
export interface Stage<State, Message> {
  readonly state: () => State;
  /** Decides on a frozen copy too: both decisions must be the same, and nothing may be changed. Then applies. */
  readonly tell: (message: Message, now?: number) => Decision<unknown>;
  /** Commits what was applied since the last commit, and returns how many words that wrote. */
  readonly commit: () => readonly string[];
  /** What Redis holds: the state's field and its hashes. */
  readonly stored: () => Stored;
  /** A new owner with another session loads what is stored. */
  readonly takeOver: (session: string) => void;
}

export function createStage<State, Message, Change>(
  actor: Actor<State, Message, Change>,
  id: string,
  session = "s1",
): Stage<State, Message> {
  let owner = session;
  let field: string | null = null;
  const hashes = new Map<string, Map<string, string>>(actor.parts(id).map(({ key }) => [key, new Map()]));
  const stored = (): Stored => ({ state: field, parts: actor.parts(id).map(({ key }) => Object.fromEntries(hashes.get(key) ?? [])) });
  let state = actor.decode(id, stored());
  let changes: Change[] = [];
  return {
    state: () => state,
    stored,
    tell: (message, now = 1_000) => {
      const context = { now, session: owner };
      const frozen = deepFreeze(structuredClone(state));
      const decision = actor.decide(frozen, actor.parseMessage(JSON.parse(JSON.stringify(message))), Object.freeze(context));
      expect(actor.decide(state, message, context), "the same input gives the same output").toEqual(decision);
      expect(state, "decide changes nothing").toEqual(frozen);
      for (const change of decision.changes) {
        state = actor.apply(state, change);
        changes.push(change);
      }
      return decision;
    },
    commit: () => {
      const write = actor.encode(id, state, changes);
      changes = [];
      field = write.state;
      const words: string[] = [];
      for (const { key, set, remove } of write.hashes) {
        const hash = hashes.get(key) ?? new Map<string, string>();
        for (const [name, value] of Object.entries(set)) hash.set(name, value);
        for (const name of remove) hash.delete(name);
        words.push(...Object.keys(set), ...remove);
        hashes.set(key, hash);
      }
      return words;
    },
    takeOver: (next) => {
      owner = next;
      changes = [];
      state = actor.decode(id, stored());
    },
  };
}

/** Freezes maps and sets too, which `Object.freeze` leaves open. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) {
    for (const entry of value.values()) deepFreeze(entry);
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
  } else if (value instanceof Set) {
    Object.assign(value, { add: refuse, delete: refuse, clear: refuse });
  } else {
    for (const entry of Object.values(value)) deepFreeze(entry);
  }
  return Object.freeze(value);
}

function refuse(): never {
  throw new Error("decide changed what it was given");
}

/** The messages among `effects`, each with its recipient as `kind/id`. */
export function mailOf(effects: readonly Effect[]): readonly { readonly to: string; readonly message: unknown }[] {
  return effects.flatMap((effect) =>
    effect.type === "send" ? [{ to: `${effect.to.kind}/${effect.to.id}`, message: effect.message }] : [],
  );
}
