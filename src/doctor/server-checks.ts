import { delimiter, join } from "node:path";
import type { Config } from "../config.ts";
import { openStore } from "../ost/open.ts";
import { createRedis, type RedisConnection } from "../redis/connection.ts";
import { createKeys } from "../redis/keys.ts";
import { findPrivateRedis } from "../serve/private-redis.ts";
import { findRedisBinary } from "../serve/redis-binary.ts";
import type { Check } from "./examine.ts";
import { ok } from "./finding.ts";
import { checkBelonging, checkObjectStorage } from "./object-storage.ts";
import { checkRedis } from "./redis.ts";

/** What every process of an installation needs of Redis and object storage, by the settings of `serve`. */
export function serverChecks(config: Config): readonly Check[] {
  const { durability, heartbeatTtlMs, redisPrefix, ostUrl } = config;
  return [
    {
      name: "redis",
      advice: "start Redis, or set OSTLER_REDIS_URL right",
      perform: () =>
        withRedis(config, async (redis) => {
          if (redis) return checkRedis({ redis, durability, heartbeatTtlMs, now: Date.now });
          const binary = await findRedisBinary(config.hostEnvironment["PATH"] ?? ["/usr/bin", "/usr/local/bin"].join(delimiter));
          return [ok("redis", `a private one will be started: ${binary}`)];
        }),
    },
    {
      name: "object-storage",
      advice: "set OSTLER_OST_URL right, and let this user write there",
      perform: async () => checkObjectStorage(await openStore(ostUrl), Date.now),
    },
    {
      name: "installation",
      advice: "mend Redis or object storage first",
      perform: () =>
        withRedis(config, async (redis) => (redis ? checkBelonging(await openStore(ostUrl), redis, createKeys(redisPrefix)) : [])),
    },
  ];
}

/** Lends a connection to the configured Redis or the private one; undefined where that does not run now. Closes it afterwards. */
async function withRedis<T>(config: Config, use: (redis: RedisConnection | undefined) => Promise<T>): Promise<T> {
  const url = config.redisUrl ?? (await findPrivateRedis(join(config.dataDir, "redis")));
  if (url === undefined) return use(undefined);
  let reason: Error | undefined;
  const redis = createRedis(url, "commit", (error) => {
    reason = error;
  });
  try {
    await redis.connect().catch((error: unknown) => {
      throw reason ?? error;
    });
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
