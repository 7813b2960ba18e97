import type { Keys } from "../../redis/keys.ts";
import type { Actor } from "../actor.ts";
import { apply } from "./apply.ts";
import { decide } from "./decide.ts";
import { PoolMessage } from "./messages.ts";
import { decode, encode } from "./record.ts";
import type { PoolChange, PoolState } from "./state.ts";
import { deadline } from "./sweep.ts";

export type PoolActor = Actor<PoolState, PoolMessage, PoolChange>;

/** Gives ready tasks to executors. `decode` of nothing is an empty pool; an empty pool is forgotten. */
export function createPoolActor({ keys }: { readonly keys: Keys }): PoolActor {
  return {
    kind: "pool",
    parseMessage: (raw) => PoolMessage.parse(raw),
    decide,
    apply,
    deadline,
    parts: (id) => [
      { key: keys.poolReady(id), type: "hash" },
      { key: keys.poolLive(id), type: "hash" },
      { key: keys.poolExecutors(id), type: "hash" },
    ],
    decode,
    encode: (id, state, changes) =>
      encode({ ready: keys.poolReady(id), live: keys.poolLive(id), executors: keys.poolExecutors(id) }, state, changes),
  };
}
