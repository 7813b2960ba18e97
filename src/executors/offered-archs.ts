import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { declareArchs } from "../redis/scripts/declare-archs.ts";
import type { Registration } from "../redis/scripts/register-executor.ts";
import type { Driver } from "./driver.ts";

/** The architectures that an executor offers: those that were configured, else what its platform has just now. */
export interface OfferedArchs {
  /** In alphabetical order, as the platform said last. */
  readonly current: () => readonly string[];
  /** Asks the platform; rejects if it does not say, and what it said last stays. */
  readonly look: () => Promise<void>;
}

/** Asks the platform for the first time, unless `configured` says it once and for all. */
export async function offerArchs(driver: Pick<Driver, "archs">, configured: readonly string[] | undefined): Promise<OfferedArchs> {
  const ask = async () => [...new Set(configured ?? (await driver.archs()))].sort();
  let known = await ask();
  return {
    current: () => known,
    look: async () => {
      known = await ask();
    },
  };
}

export interface ArchDeclarationOptions {
  readonly archs: OfferedArchs;
  /** As it was registered. */
  readonly description: Registration["description"];
  readonly incarnation: string;
  readonly shards: number;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly everyMs: number;
  readonly log: Logger;
}

/** Follows the platform's architectures (nodes of a cluster come and go), and declares every change to record and actor. */
export function declareChangedArchs(options: ArchDeclarationOptions): { readonly again: () => void; readonly close: () => Promise<void> } {
  const { archs, description, incarnation, shards, redis, keys, log } = options;
  const over = new AbortController();
  let declared: string | undefined = description.archs.join();

  const look = async () => {
    await archs.look();
    const now = archs.current();
    if (now.join() === declared) return;
    const reply = await declareArchs(redis, keys, { description: { ...description, archs: [...now] }, incarnation, shards });
    // Who is refused hears of it, with all that follows, from its next heartbeat.
    if (reply.type !== "declared") return;
    log.info({ executorId: description.id, before: declared, archs: now }, "declared other architectures");
    declared = now.join();
  };
  const loop = async () => {
    while (!over.signal.aborted) {
      await look().catch((err: unknown) => {
        if (!over.signal.aborted) log.warn({ err, executorId: description.id }, "the platform's architectures are not known just now");
      });
      await delay(options.everyMs, undefined, { signal: over.signal }).catch(() => {});
    }
  };
  const running = loop();
  return {
    /** Redis may have forgotten what was declared. */
    again: () => {
      declared = undefined;
    },
    close: async () => {
      over.abort();
      await running;
    },
  };
}
