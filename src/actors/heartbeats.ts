import type { WorkItem } from "./batch.ts";
import type { OwnerStore } from "./owner-store.ts";

/** Turns heartbeat keys into messages to executor actors. */
export interface HeartbeatObserver {
  /** One look at all executors of the given shards. */
  readonly scan: (shards: ReadonlySet<number>, monotonicNow: number) => Promise<readonly WorkItem[]>;
  /** From now on absence proves nothing, until reads have succeeded for a whole ttl. */
  readonly distrust: (monotonicNow: number) => void;
}

/**
 * An expired key is believed only once this owner's own reads have succeeded, on one server, for a whole ttl:
 * after an outage of Redis every key is expired, and nobody is dead.
 */
export function observeHeartbeats(options: { readonly read: OwnerStore["heartbeats"]; readonly ttlMs: number }): HeartbeatObserver {
  let trustedFrom = Number.POSITIVE_INFINITY;
  const distrust = (monotonicNow: number) => {
    trustedFrom = monotonicNow + options.ttlMs;
  };
  return {
    distrust,
    scan: async (shards, monotonicNow) => {
      if (trustedFrom === Number.POSITIVE_INFINITY) distrust(monotonicNow);
      const items: WorkItem[] = [];
      for (const { executor, shard, incarnation } of await options.read(shards)) {
        if (incarnation === undefined && monotonicNow < trustedFrom) continue;
        const message = { type: "observed", alive: incarnation !== undefined, incarnation: incarnation ?? "" };
        items.push({ shard, letters: [[`executor/${executor}`, message]] });
      }
      return items;
    },
  };
}
