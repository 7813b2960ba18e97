import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

export type Durability = "everysec" | "acknowledged" | "replicated";

const confirmTimeoutMs = 5_000;

/** Resolves once everything that this connection has written so far is as durable as the setting promises. */
export type Confirm = () => Promise<void>;

async function alwaysSynced(redis: RedisConnection): Promise<boolean> {
  const [, value] = await redis.config("GET", "appendfsync").catch(() => []);
  const [, on] = await redis.config("GET", "appendonly").catch(() => []);
  return value === "always" && on === "yes";
}

function expectOne(answer: unknown, what: string): void {
  const count = Array.isArray(answer) ? answer[0] : answer;
  if (Number(count) < 1) throw new Error(`not confirmed ${what} within ${confirmTimeoutMs} ms`);
}

/**
 * What a 2xx waits for. With `appendfsync always` Redis has synced before it answers, so `acknowledged` costs nothing more;
 * else it needs WAITAOF (Redis 7.2). Throws where the server can do neither: promising what cannot be kept is worse than not starting.
 */
export async function createConfirm(redis: RedisConnection, keys: Keys, durability: Durability): Promise<Confirm> {
  if (durability === "everysec") return async () => {};
  // WAIT and WAITAOF look at this connection's own last write, so each is preceded by one.
  const touch = () => redis.hset(keys.meta, "confirmed", Date.now());
  const synced = await alwaysSynced(redis);
  if (!synced) {
    const info = await redis.info("server");
    const [major = 0, minor = 0] = (/redis_version:(\d+)\.(\d+)/.exec(info)?.slice(1) ?? []).map(Number);
    if (major < 7 || (major === 7 && minor < 2)) {
      throw new Error(
        `OSTLER_DURABILITY=${durability} needs Redis to run with "appendonly yes" and "appendfsync always", or Redis 7.2 for WAITAOF; set one of them, or OSTLER_DURABILITY=everysec and accept that the last second may be lost`,
      );
    }
  }
  return async () => {
    if (durability === "replicated") {
      await touch();
      expectOne(await redis.call("WAIT", 1, confirmTimeoutMs), "by a replica");
    }
    if (!synced) {
      await touch();
      expectOne(await redis.call("WAITAOF", 1, 0, confirmTimeoutMs), "on disk");
    }
  };
}
