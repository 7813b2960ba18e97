import type { MetricObject } from "prom-client";
import { z } from "zod";
import { createInstallationGauges, type InstallationGauges, type Metrics, mergeMetrics } from "../metrics.ts";
import type { ReadModel } from "../read-model/read-model.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { Fleet, PoolReading } from "./fleet.ts";
import type { Load } from "./overload.ts";

export interface QueueCounts {
  readonly queue: string;
  /** BullMQ's state -> jobs in it. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface ScrapeDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly metrics: Metrics;
  readonly fleet: Fleet;
  readonly model: Pick<ReadModel, "call">;
  readonly load: () => Promise<Load>;
  readonly queues: () => Promise<readonly QueueCounts[]>;
  readonly onOddity: (error: unknown) => void;
}

const forgetAfterMs = 10 * 60_000;

/** As far as merging looks into them; a text that is anything else is left out. */
const Published = z.array(z.looseObject({ name: z.string(), type: z.string(), aggregator: z.string(), values: z.array(z.unknown()) }));

async function published({ redis, keys, onOddity }: ScrapeDeps): Promise<MetricObject[][]> {
  await redis.zremrangebyscore(keys.metricsPublishers, 0, Date.now() - forgetAfterMs);
  const processes = await redis.zrange(keys.metricsPublishers, "0", "-1");
  const texts = await Promise.all(processes.map((id) => redis.get(keys.metrics(id))));
  return texts.flatMap((text) => {
    if (text === null) return [];
    try {
      Published.parse(JSON.parse(text));
      // Checked above as far as the library needs it; it wrote the text itself, in another process.
      return [JSON.parse(text) as MetricObject[]];
    } catch (error) {
      onOddity(error);
      return [];
    }
  });
}

/** Each part may fail by itself: the others are still told. */
async function readNow(deps: ScrapeDeps): Promise<MetricObject[]> {
  const gauges = createInstallationGauges();
  gauges.failures.set(0);
  const part = async (read: () => Promise<void>) => {
    try {
      await read();
    } catch (error) {
      gauges.failures.inc();
      deps.onOddity(error);
    }
  };
  await Promise.all([
    part(async () => {
      for (const { phase, count } of await deps.model.call("countRuns", undefined)) gauges.runs.set({ phase }, count);
    }),
    part(async () => {
      for (const { description, life } of await deps.fleet.executors()) gauges.executors.inc({ pool: description.pool, state: life });
    }),
    part(async () => {
      const [pools, now] = await Promise.all([deps.fleet.pools(), deps.fleet.now()]);
      for (const pool of pools) setPool(gauges, pool, now);
    }),
    part(async () => {
      const { memoryShare, inboxEntries, archiveJobs } = await deps.load();
      gauges.memoryShare.set(memoryShare);
      gauges.inboxEntries.set(inboxEntries);
      gauges.archiveBacklog.set(archiveJobs);
    }),
    part(async () => {
      for (const { queue, counts } of await deps.queues()) {
        for (const [state, count] of Object.entries(counts)) gauges.queueJobs.set({ queue, state }, count);
      }
    }),
  ]);
  return gauges.registry.getMetricsAsJSON();
}

function setPool(gauges: InstallationGauges, { id: pool, executors, backlog, live }: PoolReading, now: number): void {
  const active = executors.filter(({ life }) => life === "active");
  const reason = active.length === 0 ? "no_executor" : "executors_full";
  const waiting = backlog.reduce((sum, entry) => sum + entry.waiting, 0);
  gauges.tasksWaiting.set({ pool, reason }, waiting);
  gauges.oldestWait.set({ pool }, (now - Math.min(now, ...backlog.map(({ oldestQueuedAt }) => oldestQueuedAt))) / 1000);
  gauges.slots.set(
    { pool, use: "limit" },
    active.reduce((sum, { description }) => sum + description.taskLimit, 0),
  );
  gauges.slots.set({ pool, use: "busy" }, live);
}

/** Everything that Prometheus wants to know, in its text format. */
export async function scrape(deps: ScrapeDeps): Promise<string> {
  const [others, now, own] = await Promise.all([published(deps), readNow(deps), deps.metrics.registry.getMetricsAsJSON()]);
  return mergeMetrics([...others, own, now]);
}
