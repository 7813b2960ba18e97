import type { Recipient } from "../actors/actor.ts";
import { parseRunId, shardOfExecutorGroup, shardOfPool, shardOfRoot } from "../ids.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** One letter of an inbox entry: actor id, message, and for commands the reply stream's process and the request id. */
export type Letter =
  | readonly [actor: string, message: unknown]
  | readonly [actor: string, message: unknown, replyTo: string, requestId: string];

/** `kind/id`, as inboxes, states and deadlines name an actor. */
export function actorId(recipient: Recipient): string {
  return `${recipient.kind}/${recipient.id}`;
}

/** The shard whose owner hosts the actor. Throws on a run id that is none: parse ids at the edge. */
export function shardOf(recipient: Recipient, shards: number): number {
  switch (recipient.kind) {
    case "run": {
      const parts = parseRunId(recipient.id);
      if (!parts) throw new Error(`not a run id: ${recipient.id}`);
      return parts.shard;
    }
    case "root-group":
      return shardOfRoot(recipient.id, shards);
    case "pool":
      return shardOfPool(recipient.id, shards);
    case "executor":
      return shardOfPool(recipient.pool, shards);
    case "executor-group":
      return shardOfExecutorGroup(recipient.id, shards);
  }
}

/** Puts letters into a shard's inbox as one entry. Sending twice is harmless: every `decide` ignores what no longer applies. */
export async function sendMail(redis: RedisConnection, keys: Keys, shard: number, letters: readonly Letter[]): Promise<void> {
  await redis.xadd(keys.inbox(shard), "*", "m", JSON.stringify(letters));
}
