import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Metrics } from "./metrics.ts";
import type { RedisConnection } from "./redis/connection.ts";
import type { Keys } from "./redis/keys.ts";

const everyMs = 10_000;
/** Three missed turns, and the process counts as gone. */
const ttlMs = 30_000;

export interface PublishOptions {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  /** Unique among all processes, drawn anew at every start: counters begin at zero then. */
  readonly processId: string;
  readonly metrics: Pick<Metrics, "registry">;
  readonly log: Logger;
}

/** Writes what this process counts to where the api role finds it, every 10 s until `signal` is aborted. A failure is only a gap. */
export async function publishMetrics({ redis, keys, processId, metrics, log }: PublishOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const json = JSON.stringify(await metrics.registry.getMetricsAsJSON());
      await redis.set(keys.metrics(processId), json, "PX", ttlMs);
      await redis.zadd(keys.metricsPublishers, Date.now(), processId);
    } catch (error) {
      log.debug({ err: error }, "could not publish metrics");
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
