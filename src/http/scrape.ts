import { Gauge, type MetricObject, Registry } from "prom-client";
import { z } from "zod";
import { type Metrics, mergeMetrics } from "../metrics.ts";
import type { ReadModel } from "../read-model/read-model.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { Fleet } from "./fleet.ts";
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

/** What is read anew for every scrape, by one process for the whole installation. Each part may fail by itself: the others are still told. */
async function readNow(deps: ScrapeDeps): Promise<MetricObject[]> {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `ostler_${name}`, help, labelNames, registers: [registry] });
  const failures = gauge("scrape_failures", "Parts of this scrape that could not be read.");
  failures.set(0);
  const part = async (read: () => Promise<void>) => {
    try {
      await read();
    } catch (error) {
      failures.inc();
      deps.onOddity(error);
    }
  };

  await Promise.all([
    part(async () => {
      const runs = gauge("runs", "Runs that have not ended, by phase.", ["phase"]);
      for (const { phase, count } of await deps.model.call("countRuns", undefined)) runs.set({ phase }, count);
    }),
    part(async () => {
      const executors = gauge("executors", "Executors by pool and state.", ["pool", "state"]);
      for (const { description, life } of await deps.fleet.executors()) executors.inc({ pool: description.pool, state: life });
    }),
    part(async () => {
      const waiting = gauge("tasks_waiting", "Tasks that wait for an executor, by pool and by why.", ["pool", "reason"]);
      const oldest = gauge("task_oldest_wait_seconds", "How long the first of them has waited.", ["pool"]);
      const slots = gauge("pool_slots", "Tasks that executors of the pool can run and do run at once.", ["pool", "use"]);
      const [pools, now] = await Promise.all([deps.fleet.pools(), deps.fleet.now()]);
      for (const { id, executors, backlog, live } of pools) {
        const active = executors.filter(({ life }) => life === "active");
        const reason = active.length === 0 ? "no_executor" : "executors_full";
        waiting.set(
          { pool: id, reason },
          backlog.reduce((sum, entry) => sum + entry.waiting, 0),
        );
        const first = Math.min(now, ...backlog.map(({ oldestQueuedAt }) => oldestQueuedAt));
        oldest.set({ pool: id }, (now - first) / 1000);
        slots.set(
          { pool: id, use: "limit" },
          active.reduce((sum, { description }) => sum + description.taskLimit, 0),
        );
        slots.set({ pool: id, use: "busy" }, live);
      }
    }),
    part(async () => {
      const { memoryShare, inboxEntries, archiveJobs } = await deps.load();
      gauge("redis_memory_share", "Redis's used memory as a share of maxmemory; 0 without one.").set(memoryShare);
      gauge("inbox_entries", "Entries of all inboxes that no commit has consumed yet.").set(inboxEntries);
      gauge("archive_backlog", "Jobs of the archive queue that wait.").set(archiveJobs);
    }),
    part(async () => {
      const jobs = gauge("queue_jobs", "BullMQ's jobs by queue and state.", ["queue", "state"]);
      for (const { queue, counts } of await deps.queues()) {
        for (const [state, count] of Object.entries(counts)) jobs.set({ queue, state }, count);
      }
    }),
  ]);
  return registry.getMetricsAsJSON();
}

/** Everything that Prometheus wants to know, in its text format. */
export async function scrape(deps: ScrapeDeps): Promise<string> {
  const [others, now, own] = await Promise.all([published(deps), readNow(deps), deps.metrics.registry.getMetricsAsJSON()]);
  return mergeMetrics([...others, own, now]);
}
