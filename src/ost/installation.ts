import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { randomId } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { protocol } from "../redis/meet.ts";
import { initMeta } from "../redis/scripts/init-meta.ts";
import { raiseNumbers } from "../redis/scripts/raise-numbers.ts";
import { jsonBytes, readJson } from "./json-object.ts";
import { layout } from "./layout.ts";
import { restoreNumbers } from "./restore-numbers.ts";
import type { Store } from "./store.ts";

/** `installation.json`: whose prefix this is. Times are RFC 3339. */
export const Claim = z.object({
  version: z.literal(1),
  id: z.string(),
  /** Of the Redis that renewed it last; null before the first renewal. */
  history: z.string().nullable(),
  renewedAt: z.string(),
});
export type Claim = z.infer<typeof Claim>;

/** `settings/maintenance.json`. */
const Maintenance = z.object({ version: z.literal(1), on: z.boolean() });

/** An id whose Redis has not renewed it for so long may be adopted by an empty one. */
export const adoptableAfterMs = 5 * 60_000;
/** Of the lock under which one process restores numbers; renewed while it works. */
const foundingTtlMs = 15_000;
const pollMs = 200;
/** Longer than any restoration of numbers may take: a process that waits for another one's says so at the end. */
const waitForFounderMs = 30 * 60_000;
const numbersPerCall = 500;

export interface Claiming {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
  readonly shards: number;
  readonly log: Logger;
  /** The id that may be adopted although its claim is fresh (`--adopt`). */
  readonly adopt?: string;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that Redis and ost belong to one installation, and answers its id: put-if-absent in ost first, then Redis,
 * whose `meta` comes last, after numbers and settings were restored. Throws a sentence for the operator where they do not
 * belong together. Idempotent, and safe in any number of processes at once.
 */
export async function claimInstallation(claiming: Claiming): Promise<string> {
  const { redis, keys, store, adopt } = claiming;
  const known = await redis.hget(keys.meta, "installation");
  if (known === null) return found(claiming);
  const claim = await readJson(store, layout.installation, Claim);
  if (claim?.id === known) return known;
  if (claim)
    throw new Error(
      `Redis belongs to the installation ${known}, but the object storage to ${claim.id}: one of OSTLER_REDIS_URL and OSTLER_OST_URL is wrong`,
    );
  if (adopt !== known) {
    throw new Error(
      `Redis belongs to the installation ${known}, but the object storage is empty: is OSTLER_OST_URL right? (--adopt ${known} starts with an empty one)`,
    );
  }
  await store.put(layout.installation, newClaim(claiming, known), { onlyIfAbsent: true });
  return known;
}

function newClaim({ now = Date.now }: Claiming, id: string): Uint8Array {
  const claim: Claim = { version: 1, id, history: null, renewedAt: new Date(now()).toISOString() };
  return jsonBytes(claim);
}

/** Founds the installation in an empty Redis, or waits for the process that does. */
async function found(claiming: Claiming): Promise<string> {
  const { redis, keys, signal } = claiming;
  const token = randomId(16);
  const giveUpAt = performance.now() + waitForFounderMs;
  while ((await redis.set(keys.founding, token, "PX", foundingTtlMs, "NX")) !== "OK") {
    if (performance.now() > giveUpAt) throw new Error("another process has been founding the installation in Redis for half an hour");
    await delay(pollMs, undefined, signal ? { signal } : {});
    if ((await redis.hexists(keys.meta, "installation")) === 1) return claimInstallation(claiming);
  }
  const lock = keepLock(claiming, token);
  try {
    // The founder before may have finished between our look and our lock.
    if ((await redis.hexists(keys.meta, "installation")) === 1) return await claimInstallation(claiming);
    return await foundUnderLock(claiming);
  } finally {
    await lock.release();
  }
}

/** Should the lock be lost all the same, two founders do the same twice: everything below is idempotent. */
function keepLock({ redis, keys, log }: Claiming, token: string) {
  const timer = setInterval(() => {
    redis.pexpire(keys.founding, foundingTtlMs).catch((err: unknown) => log.warn({ err }, "could not renew the founding lock"));
  }, foundingTtlMs / 3);
  return {
    release: async () => {
      clearInterval(timer);
      if ((await redis.get(keys.founding)) === token) await redis.del(keys.founding);
    },
  };
}

async function foundUnderLock(claiming: Claiming): Promise<string> {
  const { redis, keys, store, shards, log, adopt, now = Date.now } = claiming;
  const fresh = randomId(20);
  const isNew = await store.put(layout.installation, newClaim(claiming, fresh), { onlyIfAbsent: true });
  const claim = isNew ? undefined : await readJson(store, layout.installation, Claim);
  const id = claim?.id ?? fresh;
  if (claim) {
    refuseFreshClaim(claim, { adopt, now: now() });
    log.info({ installation: id }, "Redis is empty: restoring run numbers and settings from object storage");
    const restored = await restore(claiming);
    log.info({ installation: id, rootGroups: restored }, "restored run numbers and settings");
  }
  return initMeta(redis, keys, { installation: id, shards, protocol });
}

async function restore({ redis, keys, store }: Claiming): Promise<number> {
  const numbers = [...(await restoreNumbers(store))].map(([root, number]) => ({ root, number }));
  for (let at = 0; at < numbers.length; at += numbersPerCall) await raiseNumbers(redis, keys, numbers.slice(at, at + numbersPerCall));
  const maintenance = await readJson(store, layout.setting("maintenance"), Maintenance);
  if (maintenance?.on) await redis.hset(keys.meta, "maintenance", "1");
  return numbers.length;
}

/** A fresh staging Redis that is pointed at production's storage must not take its place. */
function refuseFreshClaim(claim: Claim, { adopt, now }: { readonly adopt: string | undefined; readonly now: number }): void {
  const ageMs = now - Date.parse(claim.renewedAt);
  // Never renewed: a first start crashed between ost and Redis.
  if (claim.id === adopt || ageMs > adoptableAfterMs || claim.history === null) return;
  throw new Error(
    `Redis is empty, but the object storage belongs to the installation ${claim.id}, whose own Redis was alive ${Math.max(0, Math.round(ageMs / 1000))} s ago. ` +
      `If that Redis is gone for good, start with --adopt ${claim.id}, or again in ${Math.ceil((adoptableAfterMs - ageMs) / 60_000)} min`,
  );
}

/**
 * How a renewal went. `contested`: since our own last renewal another Redis has renewed this claim, under another history;
 * while that goes on nobody may clean. `foreign`: the storage belongs to another installation by now.
 */
export type Renewal = "renewed" | "contested" | "foreign";

/** Says in ost that this Redis is alive: every minute, by one process. */
export async function renewClaim({
  redis,
  keys,
  store,
  now = Date.now,
}: Pick<Claiming, "redis" | "keys" | "store" | "now">): Promise<Renewal> {
  const [id, history, claimedUnder] = await redis.hmget(keys.meta, "installation", "history", "claimed");
  if (!id || !history) throw new Error("Redis holds no installation whose claim could be renewed");
  const claim = await readJson(store, layout.installation, Claim);
  if (claim && claim.id !== id) return "foreign";
  const renewed: Claim = { version: 1, id, history, renewedAt: new Date(now()).toISOString() };
  await store.put(layout.installation, jsonBytes(renewed));
  await redis.hset(keys.meta, "claimed", history);
  return claimedUnder === history && claim?.history !== history ? "contested" : "renewed";
}
