import { randomId } from "../ids.ts";
import { Claim } from "../ost/installation.ts";
import { readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { type Finding, failed, ok, warning } from "./finding.ts";

/** A step's log is finished with a few requests: slower than this is felt by everybody. */
const slowMs = 2_000;

/** Writes, reads and deletes a small object, and leaves nothing. Rejects where the store fails. */
export async function checkObjectStorage(store: Store, now: () => number): Promise<readonly Finding[]> {
  const check = "object-storage";
  const key = layout.probe(randomId(16));
  const startedMs = now();
  await store.put(key, Buffer.from(key));
  const read = await store.get(key);
  await store.delete([key]);
  const tookMs = now() - startedMs;
  if (read === undefined || Buffer.from(read).toString() !== key) {
    return [
      failed(check, "does not give back what was written a moment ago", "all processes need one object storage that is consistent at once"),
    ];
  }
  if ((await store.get(key)) !== undefined) return [failed(check, "still has what was deleted", "allow this user to delete objects")];
  const message = `wrote, read and deleted an object in ${Math.round(tookMs)} ms`;
  if (tookMs > slowMs) return [warning(check, message, "use a faster volume, or one that is nearer")];
  return [ok(check, message)];
}

/** Whether Redis and this object storage belong to one installation. Writes nothing: founding one is for `ostler serve`. */
export async function checkBelonging(store: Store, redis: RedisConnection, keys: Keys): Promise<readonly Finding[]> {
  const check = "installation";
  const [known, claim] = await Promise.all([redis.hget(keys.meta, "installation"), readJson(store, layout.installation, Claim)]);
  if (known === null && claim === undefined) return [ok(check, "not founded yet: the first `ostler serve` does it")];
  if (known === claim?.id) return [ok(check, `Redis and object storage belong to ${known}`)];
  if (known === null) {
    const advice =
      "if Redis was lost, `ostler serve` founds it again from object storage; else set OSTLER_REDIS_URL and OSTLER_REDIS_PREFIX right";
    return [warning(check, `object storage belongs to ${claim?.id}, Redis is empty`, advice)];
  }
  const other = claim ? `to ${claim.id}` : "to none";
  const advice = "set OSTLER_OST_URL to the storage that all processes of the installation share (a folder must be on a shared volume)";
  return [failed(check, `Redis belongs to the installation ${known}, this object storage ${other}`, advice)];
}
