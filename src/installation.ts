import type { Logger } from "pino";
import { claimInstallation } from "./ost/installation.ts";
import type { Store } from "./ost/store.ts";
import type { RedisConnection } from "./redis/connection.ts";
import type { Keys } from "./redis/keys.ts";
import { type Installation, meetServer, protocol } from "./redis/meet.ts";

/**
 * What every process does first: meets the Redis server, founds the installation in an empty one,
 * and refuses to go on where settings or data belong to another installation.
 */
export async function joinInstallation(options: {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
  /** As configured; the number stored at the first start must be the same. */
  readonly shards: number;
  readonly adopt?: string | undefined;
  readonly log: Logger;
}): Promise<Installation> {
  const { redis, keys, store, shards, log } = options;
  await claimInstallation({ redis, keys, store, shards, log, ...(options.adopt === undefined ? {} : { adopt: options.adopt }) });
  const installation = await meetServer(redis, keys);
  if (!installation) throw new Error("the installation could not be founded in Redis");
  if (installation.shards !== shards) {
    throw new Error(
      `OSTLER_SHARDS is ${shards}, but this installation was founded with ${installation.shards}; it cannot be changed later`,
    );
  }
  if (installation.protocol > protocol) {
    throw new Error(`this installation speaks protocol ${installation.protocol}, this version of ostler only ${protocol}: upgrade it`);
  }
  return installation;
}
