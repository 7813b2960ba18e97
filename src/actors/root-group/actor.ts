import type { Keys } from "../../redis/keys.ts";
import type { Actor } from "../actor.ts";
import { apply } from "./apply.ts";
import { decide } from "./decide.ts";
import { RootGroupMessage } from "./messages.ts";
import { decode, encode } from "./record.ts";
import type { RootGroupChange, RootGroupState } from "./state.ts";
import { deadline } from "./sweep.ts";

export type RootGroupActor = Actor<RootGroupState, RootGroupMessage, RootGroupChange>;

/** Keeps a root group's concurrency keys. `decode` of nothing is a group where nobody waits or holds a place. */
export function createRootGroupActor({ keys }: { readonly keys: Keys }): RootGroupActor {
  return {
    kind: "root-group",
    parseMessage: (raw) => RootGroupMessage.parse(raw),
    decide,
    apply,
    deadline,
    parts: (id) => [{ key: keys.rootGroupRuns(id), type: "hash" }],
    decode,
    encode: (id, state, changes) => encode(keys.rootGroupRuns(id), state, changes),
  };
}
