import type { Logger } from "pino";
import type { Keys } from "../redis/keys.ts";
import type { Letter } from "../redis/mail.ts";
import type { ActorCache, CachedActor } from "./cache.ts";
import type { Origin } from "./host.ts";
import type { OwnedShard } from "./owned-shards.ts";
import type { InboxEntry } from "./owner-store.ts";
import { address, createWrites, type FinishedWrites } from "./writes.ts";

/** Something to decide: an inbox entry, or letters that the owner itself makes (ticks, observations, greetings). */
export interface WorkItem {
  readonly shard: number;
  readonly letters: readonly Letter[];
  readonly entry?: InboxEntry;
  /** The actor that the letters tell of the take-over. */
  readonly greets?: string;
}

/**
 * When a batch ends, so that no commit grows without bound and nobody waits long for an answer. One decision may tell thousands
 * of others: whatever of their mail is not decided after `mailMs` waits for the next batch, lest the lease runs out.
 */
export const batchLimits = { letters: 1_000, bytes: 1 << 20, decidingMs: 20, mailMs: 200, rounds: 32 } as const;

/** Letters of a round that are loaded and decided before the time is looked at again. */
const portion = 100;

/** A tick that throws is tried again after this long, not at once: it would throw again. */
const tickPauseMs = 60_000;
/** A tick that leaves its own deadline in the past would otherwise keep the owner busy for ever. */
const stuckTickMs = 1_000;

export interface BatchSurroundings {
  readonly owned: ReadonlyMap<number, OwnedShard>;
  readonly cache: ActorCache;
  readonly keys: Keys;
  readonly shards: number;
  readonly now: number;
  readonly monotonicMs: () => number;
  readonly log: Logger;
}

/** A batch that was decided and waits for its commit. */
export interface DecidedBatch extends FinishedWrites {
  /** Shards that the commit touches. */
  readonly touched: ReadonlySet<number>;
  /** Last inbox entry consumed per shard. */
  readonly consumed: ReadonlyMap<number, string>;
  /** How many of the items were decided; the others are left for the next batch. */
  readonly itemsDecided: number;
  readonly letters: number;
}

interface Routed {
  readonly shard: number;
  readonly letter: Letter;
  readonly origin: Origin;
}

/**
 * Decides items in order, and the mail that they cause among actors of own shards with them.
 * What is decided is applied to the cache at once, so the caller must either commit all of it or drop the cache.
 */
export async function decideBatch(surroundings: BatchSurroundings, items: readonly WorkItem[]): Promise<DecidedBatch> {
  const { owned, cache, keys, shards, now, monotonicMs, log } = surroundings;
  const writes = createWrites(keys);
  const touched = new Set<number>();
  const dirty = new Set<CachedActor>();
  const consumed = new Map<number, string>();
  let letters = 0;

  const route = (sender: Routed, effect: Parameters<typeof address>[0], local: Routed[]) => {
    const { shard, letter } = address(effect, shards);
    if (owned.has(shard)) local.push({ shard, letter, origin: "local" });
    else {
      // Mail to another owner is part of this commit, so the sender's shard must be in it.
      touched.add(sender.shard);
      writes.mail(shard, letter);
    }
  };

  const putAside = (routed: Routed, reason: string, error: unknown, local: Routed[]) => {
    const [actor, message, replyTo, requestId] = routed.letter;
    log.error({ actor, err: error, reason }, "put a message aside");
    touched.add(routed.shard);
    writes.deadLetter(routed.shard, JSON.stringify([routed.letter]), reason);
    if (replyTo !== undefined && requestId !== undefined)
      writes.reply(replyTo, requestId, { ok: false, code: "internal", message: "internal server error" });
    const type = typeOf(message);
    if (type === "tick") postponeTick(actor, routed.shard, now + tickPauseMs);
    if (actor.startsWith("run/") && type !== "quarantine")
      local.push({ shard: routed.shard, letter: [actor, { type: "quarantine", reason }], origin: "local" });
  };

  const postponeTick = (actor: string, shard: number, at: number) => {
    owned.get(shard)?.deadlines.set(actor, at);
    touched.add(shard);
    writes.deadline(shard, actor, at);
  };

  const decide = (routed: Routed, local: Routed[]) => {
    const [actor, message, replyTo, requestId] = routed.letter;
    const cached = cache.get(actor);
    const shard = owned.get(routed.shard);
    letters += 1;
    if (!cached || !shard) return putAside(routed, "no such actor", undefined, local);
    try {
      const { effects, reply } = cached.instance.receive(message, { now, session: shard.session }, routed.origin);
      for (const effect of effects) {
        if (effect.type === "send") route(routed, effect, local);
        else {
          touched.add(routed.shard);
          writes.effect(routed.shard, effect);
        }
      }
      if (replyTo !== undefined && requestId !== undefined) {
        touched.add(routed.shard);
        writes.reply(replyTo, requestId, reply ?? { ok: true });
      }
    } catch (error) {
      return putAside(routed, error instanceof Error ? error.message : String(error), error, local);
    }
    if (cached.instance.dirty()) dirty.add(cached);
    if (typeOf(message) === "tick") dirty.add(cached);
  };

  const loadFor = (routed: readonly Routed[]) => cache.load(new Map(routed.map(({ letter, shard }) => [letter[0], shard])));

  let round: Routed[] = [];
  const arrivals = items.map((item) =>
    (item.entry?.letters ?? item.letters).map((letter): Routed => ({ shard: item.shard, letter, origin: "mail" })),
  );
  await loadFor(arrivals.flat());
  const started = monotonicMs();
  const late = (limitMs: number = batchLimits.decidingMs) => monotonicMs() - started > limitMs;
  let itemsDecided = 0;
  for (const [index, item] of items.entries()) {
    if (itemsDecided > 0 && late()) break;
    itemsDecided += 1;
    if (item.entry) {
      touched.add(item.shard);
      consumed.set(item.shard, item.entry.id);
      if (!item.entry.letters) {
        log.error({ shard: item.shard, entry: item.entry.id }, "put an inbox entry aside that does not parse");
        writes.deadLetter(item.shard, item.entry.raw, "does not parse");
      }
    }
    for (const routed of arrivals[index] ?? []) decide(routed, round);
  }

  const leave = (undecided: readonly Routed[]) => {
    for (const { shard, letter } of undecided) {
      touched.add(shard);
      writes.mail(shard, letter);
    }
  };
  for (let rounds = 1; round.length > 0; rounds++) {
    if (rounds >= batchLimits.rounds || letters >= 4 * batchLimits.letters || (rounds > 2 && late())) {
      leave(round);
      break;
    }
    const next: Routed[] = [];
    let at = 0;
    for (; at < round.length && !late(batchLimits.mailMs); at += portion) {
      const some = round.slice(at, at + portion);
      await loadFor(some);
      for (const routed of some) decide(routed, next);
    }
    if (at < round.length) {
      // In the order in which they were written: what is left of this round, then what came of it.
      leave([...round.slice(at), ...next]);
      break;
    }
    round = next;
  }

  for (const cached of dirty) {
    const { id, shard, instance } = cached;
    const deadlines = owned.get(shard)?.deadlines;
    if (instance.dirty()) {
      touched.add(shard);
      const write = instance.write();
      writes.state(shard, id, write);
      if (write.state === null) cache.drop(id);
    }
    const wanted = instance.deadline();
    const at = wanted !== undefined && wanted <= now ? now + stuckTickMs : wanted;
    if (deadlines?.set(id, at)) {
      touched.add(shard);
      writes.deadline(shard, id, at);
    }
  }

  return { ...writes.finish(), touched, consumed, itemsDecided, letters };
}

/** The `type` of a message that may be anything. */
function typeOf(message: unknown): unknown {
  return typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
}
