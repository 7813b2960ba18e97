import { randomId } from "../ids.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { meetServerScript } from "./scripts/meet-server.ts";

/** The version of what this build writes into Redis; it knows this one only. */
export const protocol = 1;

export interface Installation {
  readonly installation: string;
  /** Changes whenever Redis may have forgotten something: readers of events start from a snapshot then. */
  readonly history: string;
  readonly shards: number;
  readonly protocol: number;
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
}

/**
 * To be called on every new connection before anything else.
 * Undefined where no installation is founded yet.
 */
export async function meetServer(redis: RedisConnection, keys: Keys): Promise<Installation | undefined> {
  const info = `${await redis.info("server")}\n${await redis.info("replication")}`;
  const server = `${field(info, "run_id")}/${field(info, "master_replid")}`;
  return meetServerScript(redis, keys, { server, history: randomId(16) });
}
