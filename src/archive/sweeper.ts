import { type Job, Queue, Worker } from "bullmq";
import { renewClaim } from "../ost/installation.ts";
import type { ArchiverOptions } from "./archiver-options.ts";
import { rescueTails } from "./rescue-tails.ts";
import { trimEvents, trimRows } from "./trim-streams.ts";

interface Sweep {
  readonly everyMs: number;
  readonly run: (options: ArchiverOptions, now: number) => Promise<unknown>;
}

const minuteMs = 60_000;

/** What is done from time to time, by one process whoever it is. Each is idempotent, and late, early or doubled runs do no harm. */
const sweeps: Readonly<Record<string, Sweep>> = {
  "renew-claim": { everyMs: minuteMs, run: renew },
  "trim-events": { everyMs: 5 * minuteMs, run: trimEvents },
  "trim-rows": { everyMs: 5 * minuteMs, run: trimRows },
  "rescue-tails": { everyMs: 5 * minuteMs, run: rescueTails },
};

async function renew(options: ArchiverOptions): Promise<string> {
  const { log } = options;
  const renewal = await renewClaim(options);
  if (renewal === "contested")
    log.error("another Redis uses the object storage of this installation too; stop one of them, nothing is cleaned until then");
  if (renewal === "foreign") log.error("the object storage belongs to another installation by now: is OSTLER_OST_URL right?");
  return renewal;
}

const sweepQueue = "sweep";

/** Schedules the sweeps and works on those that come due. Queue and worker share `connection`, which stays open. */
export async function startSweeper(
  options: ArchiverOptions,
  connection: ReturnType<ArchiverOptions["connect"]>,
): Promise<{ readonly close: () => Promise<void> }> {
  const { redis, keys, log } = options;
  const bull = { connection, prefix: keys.prefix };
  const queue = new Queue(sweepQueue, { ...bull, streams: { events: { maxLen: 100 } } });
  queue.on("error", (err) => log.warn({ err, queue: sweepQueue }, "queue error"));
  const worker = new Worker(sweepQueue, (job: Job<unknown>) => sweep(job.name), {
    ...bull,
    maxStalledCount: 1_000,
    removeOnComplete: { count: 20 },
    removeOnFail: { count: 100 },
  });
  worker.on("error", (err) => log.warn({ err, queue: sweepQueue }, "queue worker error"));

  const sweep = async (name: string): Promise<unknown> => {
    const [seconds] = await redis.time();
    const result = await sweeps[name]?.run(options, Number(seconds) * 1_000);
    log.debug({ sweep: name, result }, "swept");
    return result;
  };
  for (const [name, { everyMs }] of Object.entries(sweeps)) await queue.upsertJobScheduler(name, { every: everyMs }, { name });
  await worker.waitUntilReady();
  return {
    close: async () => {
      await worker.close();
      await queue.close();
    },
  };
}
