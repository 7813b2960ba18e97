import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { KnownInstallation } from "./installation.ts";
import type { ReadinessCheck } from "./routes/health.ts";

export interface ReadinessDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Pick<Store, "stat">;
  readonly installation: KnownInstallation;
  readonly indexComplete: () => boolean;
}

/** What must be there for this process to answer everything. */
export function readinessChecks({
  redis,
  keys,
  store,
  installation,
  indexComplete,
}: ReadinessDeps): Readonly<Record<string, ReadinessCheck>> {
  return {
    redis: async () => {
      await installation.refresh();
      return undefined;
    },
    ost: async () => ((await store.stat(layout.installation)) ? undefined : "it does not hold this installation"),
    shards: async () => {
      const { shards } = installation.get();
      const owned = await redis.exists(...Array.from({ length: shards }, (_, shard) => keys.own(shard)));
      return owned === shards ? undefined : `${shards - owned} of ${shards} shards have no scheduler`;
    },
    index: async () => (indexComplete() ? undefined : "the index of runs is being built, lists are partial"),
  };
}
