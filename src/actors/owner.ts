import { getHeapStatistics } from "node:v8";
import type { Logger } from "pino";
import { randomId as drawId } from "../ids.ts";
import { createRedisClock, type RedisClock } from "../redis/clock.ts";
import type { Keys } from "../redis/keys.ts";
import type { Commit } from "../redis/scripts/commit.ts";
import { batchLimits, type DecidedBatch, decideBatch, type WorkItem } from "./batch.ts";
import { createActorCache } from "./cache.ts";
import { observeHeartbeats } from "./heartbeats.ts";
import type { Host } from "./host.ts";
import { createIntake } from "./intake.ts";
import type { RecordedHandout, Wakes } from "./outlets.ts";
import { type OwnedShard, ownShard } from "./owned-shards.ts";
import type { OwnerStore } from "./owner-store.ts";

/**
 * The owner loop: one per scheduler process. It claims shards, reads their inboxes, decides in batches,
 * and commits each batch with one script (invariants A1 to A3). One commit is in flight at a time.
 *
 * Three things end what is cached: a refused commit, a broken chain, and a Redis with another history.
 * In each case the owner forgets all of it, gives its shards up, and claims anew: new token, new session,
 * states and inbox from the beginning. Nothing else is ever repaired in place.
 */
export interface Owner {
  /** Runs until the signal; then gives its shards up. Rejects only for faults that need a restart of the process. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** For readiness and metrics. */
  readonly owned: () => readonly number[];
}

export interface OwnerOptions {
  readonly scheduler: string;
  readonly shards: number;
  readonly leaseMs: number;
  /** An executor's heartbeat counts as absent only after reads have succeeded for this long. */
  readonly heartbeatTtlMs: number;
  readonly store: OwnerStore;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly keys: Keys;
  readonly wakes: Wakes;
  readonly handout: RecordedHandout;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly metrics?: OwnerMetrics;
  /** Where tokens, sessions and commit ids come from; a simulation gives its own, so that the same seed is the same history. */
  readonly randomId?: (length: number) => string;
}

export interface OwnerMetrics {
  readonly committed: (batch: { readonly letters: number; readonly shards: number; readonly ms: number }) => void;
  readonly abandoned: (why: string) => void;
  readonly tookOver: () => void;
  readonly deadLetter: () => void;
}

const beatsPerLease = 5;
export const heartbeatScanMs = 2_000;
/** Recorded work is looked through so often: thousands of ended runs may wait for their time. */
const handoutMs = 200;
const longestWaitMs = 1_000;
/** Bytes. More would leave too little for a batch and its commit; less, and runs that are needed all the time are read again and again. */
const cacheBudget = getHeapStatistics().heap_size_limit / 2;

/** Thrown to leave the present batch and start anew. */
class Abandon extends Error {}

export function createOwner(options: OwnerOptions): Owner {
  const { scheduler, shards, leaseMs, store, hosts, keys, monotonicMs, log, metrics, randomId = drawId } = options;
  const owned = new Map<number, OwnedShard>();
  const cache = createActorCache({
    hosts,
    load: store.load,
    budget: cacheBudget,
    onUnreadable: (actor, error) => log.error({ actor, err: error }, "an actor's state cannot be read"),
  });
  const intake = createIntake({ strike: store.strike, scheduler, now: () => now(), log });
  const heartbeats = observeHeartbeats({ read: store.heartbeats, ttlMs: options.heartbeatTtlMs });
  let clock: RedisClock | undefined;
  let history = "";
  let nextBeat = 0;
  let nextScan = 0;
  let nextHandout = 0;

  const now = () => clock?.now() ?? 0;

  const forgetAll = () => {
    owned.clear();
    cache.clear();
    nextBeat = 0;
  };

  const abandon = async (why: string) => {
    log.warn({ why, shards: [...owned.keys()] }, "start anew: what is cached does not count any more");
    metrics?.abandoned(why);
    const given = [...owned.values()].map(({ shard, token }) => ({ shard, token }));
    forgetAll();
    heartbeats.distrust(monotonicMs());
    await store.release(scheduler, given);
  };

  /** Renews, gives up and takes shards. */
  const beat = async () => {
    const token = randomId(20);
    const mine = [...owned.values()].map(({ shard, token: held, number }) => ({ shard, token: held, number }));
    const answer = await store.claim({ scheduler, leaseMs, shards, token, owned: mine });
    clock ??= createRedisClock(answer.now, monotonicMs);
    clock.observe(answer.now);
    if (history !== "" && answer.history !== history) {
      history = answer.history;
      heartbeats.distrust(monotonicMs());
      await store.release(scheduler, [...mine, ...answer.taken.map((shard) => ({ shard, token }))]);
      forgetAll();
      throw new Abandon("Redis has another history");
    }
    history = answer.history;
    const still = new Set(answer.kept);
    const gone = mine.filter(({ shard }) => !still.has(shard));
    if (gone.length > 0) {
      if (gone.length > answer.released.length) log.warn({ shards: gone.map(({ shard }) => shard) }, "lost shards");
      // States of a shard that is gone must not be used, and the cache does not tell whose they are: forget them all.
      for (const { shard } of gone) owned.delete(shard);
      cache.clear();
    }
    for (const shard of answer.taken) {
      const found = await store.takeOver(shard);
      owned.set(shard, ownShard({ shard, token, session: randomId(8), found }));
      metrics?.tookOver();
    }
    if (answer.taken.length > 0) {
      log.info({ shards: answer.taken }, "took shards over");
      heartbeats.distrust(monotonicMs());
    }
    nextBeat = monotonicMs() + leaseMs / beatsPerLease;
  };

  const read = async (waitMs: number) => {
    if (owned.size === 0) return;
    let waiting = 0;
    for (const { pending } of owned.values()) waiting += pending.length;
    if (waiting > batchLimits.letters) return;
    const entries = await store.read(
      [...owned.values()].map(({ shard, readAfter }) => ({ shard, after: readAfter })),
      waiting > 0 ? 0 : waitMs,
    );
    for (const entry of entries) {
      const shard = owned.get(entry.shard);
      if (!shard) continue;
      shard.pending.push(entry);
      shard.readAfter = entry.id;
    }
  };

  /** How long reading may wait: until the next deadline, beat or scan, whichever comes first. */
  const patience = () => {
    const mono = monotonicMs();
    let wait = Math.min(longestWaitMs, nextBeat - mono, nextScan - mono);
    for (const { deadlines, greet, recorded } of owned.values()) {
      if (greet.length > 0) return 0;
      const earliest = deadlines.earliest();
      if (earliest !== undefined) wait = Math.min(wait, earliest - now());
      if (recorded.size > 0) wait = Math.min(wait, handoutMs);
    }
    return Math.max(0, Math.ceil(wait));
  };

  const collect = async (): Promise<WorkItem[]> => {
    const items: WorkItem[] = [];
    if (monotonicMs() >= nextScan && owned.size > 0) {
      nextScan = monotonicMs() + heartbeatScanMs;
      items.push(...(await heartbeats.scan(new Set(owned.keys()), monotonicMs())));
    }
    for (const shard of owned.values()) items.push(...(await intake(shard)));
    return items;
  };

  const commitOf = (batch: DecidedBatch): Commit => {
    const touched = [...batch.touched].map((number) => owned.get(number)).filter((shard) => shard !== undefined);
    const cleared = touched.flatMap(({ shard, caution, cautiousEntries, struck }) => {
      if (caution === "first-batch" || (caution === "one-by-one" && cautiousEntries <= 0)) return [["DEL", keys.strikes(shard)]];
      return struck.length > 0 ? [["HDEL", keys.strikes(shard), ...struck]] : [];
    });
    return {
      id: randomId(16),
      leaseMs,
      shards: touched.map(({ shard, token, number }) => ({ shard, token, number: number + 1, consumed: batch.consumed.get(shard) })),
      absent: batch.absent,
      writes: [...batch.writes, ...cleared],
    };
  };

  /** Repeats a commit that got an error instead of an answer, for as long as the lease may last. */
  const commit = async (batch: DecidedBatch, signal: AbortSignal) => {
    const request = commitOf(batch);
    const giveUpAt = monotonicMs() + leaseMs;
    for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 500)) {
      try {
        return { request, reply: await store.commit(request) };
      } catch (error) {
        if (signal.aborted || monotonicMs() > giveUpAt) throw error;
        log.warn({ err: error }, "a commit got no answer: repeating it");
        await options.sleep(pauseMs, signal);
      }
    }
  };

  const settle = (batch: DecidedBatch, request: Commit, redisNow: number) => {
    clock?.observe(redisNow);
    for (const { shard: number, number: committed } of request.shards) {
      const shard = owned.get(number);
      if (!shard) continue;
      shard.number = committed;
      shard.struck = [];
      if (shard.caution === "first-batch" || shard.cautiousEntries <= 0) shard.caution = "none";
      const last = batch.consumed.get(number);
      if (last !== undefined) {
        const index = shard.pending.findIndex(({ id }) => id === last);
        shard.pending.splice(0, index + 1);
      }
    }
    for (const { shard, id, work } of batch.recorded) owned.get(shard)?.recorded.set(id, { work, handedAt: undefined });
    for (const { shard, id } of batch.unrecorded) owned.get(shard)?.recorded.delete(id);
  };

  /** A batch may end before all greetings were decided; what it left is greeted with the next one. */
  const noteGreeted = (number: number, actor: string | undefined) => {
    const shard = owned.get(number);
    if (shard && actor !== undefined) shard.greet = shard.greet.filter((each) => each !== actor);
  };

  const round = async (signal: AbortSignal) => {
    if (monotonicMs() >= nextBeat) await beat();
    if (owned.size === 0) {
      await options.sleep(Math.min(200, leaseMs / beatsPerLease), signal);
      return;
    }
    await read(patience());
    const items = await collect();
    if (items.length > 0) {
      const started = monotonicMs();
      const decided = await decideBatch({ owned, cache, keys, shards, now: now(), monotonicMs, log }, items);
      const batch = withCautious(decided, items);
      if (batch.touched.size > 0) {
        const { request, reply } = await commit(batch, signal);
        switch (reply.type) {
          case "committed":
          case "repeated":
            settle(batch, request, reply.now);
            for (const { shard, greets } of items.slice(0, batch.itemsDecided)) noteGreeted(shard, greets);
            break;
          case "lost":
          case "broken":
            throw new Abandon(`the commit was refused: ${reply.type}, shard ${reply.shard}`);
          case "present":
            throw new Abandon("an executor came back while it was declared lost");
        }
        for (let count = 0; count < batch.deadLetters; count++) metrics?.deadLetter();
        metrics?.committed({ letters: batch.letters, shards: batch.touched.size, ms: monotonicMs() - started });
        await store.confirm();
        options.wakes.wake(batch.assigned);
        options.wakes.forget(batch.removed);
      }
      cache.trim();
    }
    if (monotonicMs() >= nextHandout) {
      nextHandout = monotonicMs() + handoutMs;
      options.handout.hand(owned.values(), now());
    }
  };

  /** A first batch after a take-over is committed even if it changes nothing: that is what clears its strike, and its greetings. */
  const withCautious = (batch: DecidedBatch, items: readonly WorkItem[]): DecidedBatch => {
    const cautious = items.map(({ shard }) => shard).filter((shard) => owned.get(shard)?.caution !== "none");
    return cautious.length === 0 ? batch : { ...batch, touched: new Set([...batch.touched, ...cautious]) };
  };

  return {
    owned: () => [...owned.keys()],
    run: async (signal) => {
      let pauseMs = 50;
      while (!signal.aborted) {
        try {
          await round(signal);
          pauseMs = 50;
        } catch (error) {
          if (signal.aborted) break;
          const why = error instanceof Abandon ? error.message : "Redis does not answer";
          if (!(error instanceof Abandon)) log.warn({ err: error }, "the owner loop was interrupted");
          await abandon(why).catch((failed: unknown) => log.warn({ err: failed }, "could not give shards up"));
          if (!(error instanceof Abandon)) {
            await options.sleep(pauseMs, signal);
            pauseMs = Math.min(pauseMs * 2, 2_000);
          }
        }
      }
      await abandon("stopping").catch((failed: unknown) => log.warn({ err: failed }, "could not give shards up"));
    },
  };
}
