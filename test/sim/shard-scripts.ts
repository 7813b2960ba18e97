import type { ClaimAnswer } from "../../src/actors/owner-store.ts";
import type { Keys } from "../../src/redis/keys.ts";
import type { Claim } from "../../src/redis/scripts/claim-shards.ts";
import type { RedisCommands } from "./redis-data.ts";

/** What `claim-shards.lua` does, on a simulated Redis. */
export function claimShards(redis: RedisCommands, now: number, keys: Keys, claim: Claim): ClaimAnswer {
  const { scheduler, leaseMs, shards, token } = claim;
  for (const [id, until] of [...redis.scores(keys.schedulers)]) if (until <= now) redis.zrem(keys.schedulers, id);
  redis.zadd(keys.schedulers, now + leaseMs, scheduler);
  const fair = Math.ceil(shards / redis.scores(keys.schedulers).size);
  const kept: number[] = [];
  const released: number[] = [];
  const taken: number[] = [];
  for (const { shard, token: held, number } of claim.owned) {
    if (redis.get(keys.own(shard)) !== held) continue;
    const rolledBack = Number(redis.hash(keys.sequence(shard)).get("n") ?? 0) !== number;
    if (rolledBack || kept.length >= fair) redis.del(keys.own(shard));
    else redis.set(keys.own(shard), held, leaseMs);
    if (!rolledBack) (redis.exists(keys.own(shard)) ? kept : released).push(shard);
  }
  for (let shard = 0; shard < shards && released.length === 0 && kept.length + taken.length < fair; shard++) {
    if (redis.exists(keys.own(shard))) continue;
    redis.set(keys.own(shard), token, leaseMs);
    taken.push(shard);
  }
  return { now, history: redis.hash(keys.meta).get("history") ?? "", kept, released, taken };
}

/** What `release-shards.lua` does, on a simulated Redis. */
export function releaseShards(
  redis: RedisCommands,
  keys: Keys,
  { scheduler, owned }: { readonly scheduler: string; readonly owned: readonly { readonly shard: number; readonly token: string }[] },
): void {
  redis.zrem(keys.schedulers, scheduler);
  for (const { shard, token } of owned) if (redis.get(keys.own(shard)) === token) redis.del(keys.own(shard));
}
