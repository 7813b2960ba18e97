import type { ActorKind } from "../actors/actor.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";

const fieldsPerStep = 5_000;

/** Ids of all actors of a kind that have a state. Meant for the few of pools and groups: it walks over every state, run's too. */
export async function listActors(
  redis: RedisConnection,
  keys: Keys,
  { kind, shards }: { readonly kind: ActorKind; readonly shards: number },
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let shard = 0; shard < shards; shard++) {
    let cursor = "0";
    do {
      const [next, flat] = await redis.hscan(keys.state(shard), cursor, "MATCH", `${kind}/*`, "COUNT", fieldsPerStep);
      // Fields and values take turns.
      for (let i = 0; i < flat.length; i += 2) found.add((flat[i] ?? "").slice(kind.length + 1));
      cursor = next;
    } while (cursor !== "0");
  }
  return [...found];
}
