import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { shardOfExecutorGroup } from "../ids.ts";
import type { Metrics } from "../metrics.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { sendMail } from "../redis/mail.ts";
import type { Driver } from "./driver.ts";
import { judge, type Look, type MemberRecord, type Memory, noMemory } from "./leftovers.ts";

/** The group's pods are looked at this often within a heartbeat's ttl, at least every few seconds; while something is to be proven, more often. */
const looksPerTtl = 4;
const maxLookMs = 5_000;
const hurry = 4;

/** How long (ms) a sibling waits between two looks, and while pods are to be removed or a loss is to be proven. */
export function lookPace(ttlMs: number): { readonly everyMs: number; readonly hurriedMs: number } {
  const everyMs = Math.min(maxLookMs, ttlMs / looksPerTtl);
  return { everyMs, hurriedMs: everyMs / hurry };
}

/** How often a proof is told again while its executor stays lost; the group's actor repeats what it has taken note of by itself. */
const firstRepeatMs = 30_000;
const maxRepeatMs = 3_600_000;

const Record = z.tuple([z.string(), z.enum(["active", "cordoned", "suspect", "lost"]), z.string()]);

export interface SiblingsOptions {
  readonly metrics?: Pick<Metrics["executor"], "orphanRemoved">;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly driver: Driver;
  readonly installation: string;
  readonly shards: number;
  readonly executor: string;
  readonly incarnation: string;
  readonly group: string;
  readonly fenceMs: number;
  readonly pace: ReturnType<typeof lookPace>;
  /** The last incarnation was declared lost: this one also speaks for that one's pods. */
  readonly returned: boolean;
  readonly ownAssignments: () => Promise<ReadonlySet<string>>;
  /** Other upkeep of the same pace. */
  readonly afterLook: () => Promise<void>;
  readonly monotonicNow: () => number;
  readonly log: Logger;
}

/** Looks at the group's pods every few seconds, from the start on, and removes what nobody living owns. */
export function startSiblings(options: SiblingsOptions): { readonly close: () => Promise<void> } {
  const over = new AbortController();
  const { log, executor } = options;
  const look = createSiblingLook(options, over.signal);
  const loop = async () => {
    while (!over.signal.aborted) {
      let isSettled = true;
      try {
        isSettled = await look();
        await options.afterLook();
      } catch (err) {
        if (!over.signal.aborted) log.warn({ err, executorId: executor }, "the group's pods could not be looked at");
      }
      await delay(isSettled ? options.pace.everyMs : options.pace.hurriedMs, undefined, { signal: over.signal }).catch(() => {});
    }
  };
  const running = loop();
  return {
    close: async () => {
      over.abort();
      await running;
    },
  };
}

/**
 * One look at a time: lists, removes, tells. A failed list proves nothing and is simply repeated.
 * Resolves with false if the next look is awaited: something was removed, or a loss in the group is not proven yet.
 */
export function createSiblingLook(options: SiblingsOptions, signal: AbortSignal): () => Promise<boolean> {
  const { driver, executor, incarnation, log } = options;
  let memory: Memory = noMemory;
  let ownCleanLists = 0;
  const told = new Map<string, { readonly again: number; readonly pauseMs: number }>();

  const tell = async (gone: { readonly executor: string; readonly incarnation: string }) => {
    const key = `${gone.executor} ${gone.incarnation}`;
    const before = told.get(key);
    const now = options.monotonicNow();
    if (before && now < before.again) return;
    const pauseMs = before ? Math.min(before.pauseMs * 2, maxRepeatMs) : firstRepeatMs;
    const message = { type: "pods-gone", ...gone, by: executor };
    const shard = shardOfExecutorGroup(options.group, options.shards);
    await sendMail(options.redis, options.keys, shard, [[`executor-group/${options.group}`, message]]);
    told.set(key, { again: now + pauseMs, pauseMs });
    log.info({ executorId: gone.executor, incarnation: gone.incarnation }, "no pod of a lost executor is left");
  };

  return async () => {
    const { records, history } = await readRecords(options);
    const pods = await driver.list(options.installation, signal);
    const ownAssignments = await options.ownAssignments();
    const { group, fenceMs } = options;
    const look: Look = { executor, group, records, pods, ownAssignments, history, at: options.monotonicNow(), fenceMs };
    const findings = judge(memory, look);
    if (memory.history !== history) told.clear();
    memory = findings.memory;
    for (const pod of findings.remove) {
      log.warn({ podId: pod.id, executorId: pod.owner.executor }, "removing a pod that nobody living owns");
      await driver.remove(pod.id, 0, signal);
      options.metrics?.orphanRemoved();
    }
    for (const gone of findings.gone) await tell(gone);
    const foreign = pods.some((pod) => pod.owner.executor === executor && pod.owner.incarnation !== incarnation);
    ownCleanLists = foreign ? 0 : ownCleanLists + 1;
    if (options.returned && ownCleanLists >= 2) await tell({ executor, incarnation });
    const lost = [...records].filter(([, record]) => record.life === "lost" && record.group === group);
    return findings.remove.length === 0 && lost.every(([id, record]) => told.has(`${id} ${record.incarnation}`));
  };
}

/** The records of all executors, and the history that they belong to. */
async function readRecords({
  redis,
  keys,
}: SiblingsOptions): Promise<{ readonly records: Map<string, MemberRecord>; readonly history: string }> {
  const [ids, history] = await Promise.all([redis.smembers(keys.executors), redis.hget(keys.meta, "history")]);
  const records = new Map<string, MemberRecord>();
  await Promise.all(
    ids.map(async (id) => {
      const fields = Record.safeParse(await redis.hmget(keys.executor(id), "incarnation", "life", "group"));
      if (!fields.success) return;
      const [incarnation, life, group] = fields.data;
      records.set(id, { incarnation, life, group });
    }),
  );
  return { records, history: history ?? "" };
}
