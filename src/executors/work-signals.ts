import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "bullmq";
import type { Logger } from "pino";
import { z } from "zod";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";

/** Jobs of one executor that are worked on at once: they only wait for the acceptance that they share. */
const jobConcurrency = 8;

/** A worker whose connection is just being made anew may wait for ever for its end; an executor that was lost must not wait with it. */
const closePatienceMs = 2_000;

const AssignmentsJob = z.object({ assignments: z.array(z.string()) });

export interface WorkSignalsOptions {
  readonly executor: string;
  readonly keys: Keys;
  /** Opens a connection for the queue's worker, or for the subscription. */
  readonly connect: (role: "queue" | "blocking") => RedisConnection;
  /** A job's assignments; the job is done once this resolves. */
  readonly onAssignments: (assignments: readonly string[]) => Promise<void>;
  /** A job has come; `onAssignments` is called with what it names. */
  readonly onJob: () => void;
  /** Something in `todo` has changed, or may have. */
  readonly onWake: () => void;
  readonly log: Logger;
}

export interface WorkSignals {
  readonly stopTaking: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Listens for what makes an executor look at its `todo` at once: jobs of its queue, and wake-ups for stops.
 * Losing one changes nothing: the executor looks by itself every few heartbeats.
 */
export async function listenForWork(options: WorkSignalsOptions): Promise<WorkSignals> {
  const { executor, keys, connect, onAssignments, onJob, onWake, log } = options;
  const wake = connect("blocking");
  await wake.connect();
  wake.on("message", onWake);
  // While the subscription was interrupted a wake-up may have been missed.
  wake.on("ready", onWake);
  await wake.subscribe(keys.executorWake(executor));

  const queue = connect("queue");
  const worker = new Worker(
    `executor-${executor}`,
    async (job) => {
      const { assignments } = AssignmentsJob.parse(job.data);
      onJob();
      await onAssignments(assignments);
    },
    {
      connection: queue,
      prefix: keys.prefix,
      concurrency: jobConcurrency,
      removeOnComplete: { count: 100 },
      removeOnFail: { count: 1_000 },
      // A job is only a hint: one that is stalled is done again, however often.
      maxStalledCount: 1_000,
    },
  );
  worker.on("error", (err) => log.warn({ err, executorId: executor }, "the queue's worker has a fault"));

  const stopTaking = async () => {
    const patience = new AbortController();
    const late = delay(closePatienceMs, "late", { signal: patience.signal }).catch(() => "closed");
    const closed = worker.close().then(() => "closed");
    // A job that it still gets then finds that nothing is taken any more; what it names stays in `todo`.
    if ((await Promise.race([closed, late])) === "late")
      log.warn({ executorId: executor }, "the queue's worker does not close: left behind");
    patience.abort();
    queue.disconnect();
  };
  return {
    stopTaking,
    close: async () => {
      wake.disconnect();
      await stopTaking();
    },
  };
}
