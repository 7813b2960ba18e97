import { Queue } from "bullmq";
import type { Logger } from "pino";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { Wakes } from "./outlets.ts";

const assignmentsPerJob = 50;

/** An executor's queue: jobs named `assignments` with up to 50 assignment ids each. */
export function executorQueue(executor: string): string {
  return `executor-${executor}`;
}

/** The queue of work that leaves Redis: archiving, definitions, deletions. */
export const archiveQueue = "archive";

/** What every queue of ours keeps: little, since jobs carry ids and history lives in ost. */
export const queueDefaults = {
  removeOnComplete: { count: 100 },
  removeOnFail: { count: 1_000 },
} as const;

/** Opens a queue on a shared connection, which BullMQ never closes. */
export function openQueue(name: string, connection: RedisConnection, keys: Keys, onError: (error: Error) => void): Queue {
  const queue = new Queue(name, {
    connection,
    prefix: keys.prefix,
    defaultJobOptions: queueDefaults,
    streams: { events: { maxLen: 100 } },
  });
  queue.on("error", onError);
  return queue;
}

/** Puts committed assignments into the queues of their executors, one job per batch. */
export function createQueueWakes(options: { readonly connection: RedisConnection; readonly keys: Keys; readonly log: Logger }): Wakes & {
  readonly close: () => Promise<void>;
} {
  const { connection, keys, log } = options;
  const queues = new Map<string, Queue>();
  const pending = new Set<Promise<void>>();

  const queueOf = (executor: string): Queue => {
    const known = queues.get(executor);
    if (known) return known;
    const queue = openQueue(executorQueue(executor), connection, keys, (err) => log.warn({ err, executorId: executor }, "queue error"));
    queues.set(executor, queue);
    return queue;
  };

  const add = async (executor: string, assignments: readonly string[]) => {
    const jobs: { name: string; data: { assignments: readonly string[] } }[] = [];
    for (let at = 0; at < assignments.length; at += assignmentsPerJob)
      jobs.push({ name: "assignments", data: { assignments: assignments.slice(at, at + assignmentsPerJob) } });
    const [only] = jobs;
    if (jobs.length === 1 && only) await queueOf(executor).add(only.name, only.data);
    else await queueOf(executor).addBulk(jobs);
  };

  /** One that registers again meanwhile may lose a wake-up or two. */
  const remove = async (executor: string) => {
    const queue = queueOf(executor);
    queues.delete(executor);
    await queue.obliterate({ force: true });
    await queue.close();
  };

  const note = (work: Promise<void>) => {
    const noted = work.finally(() => pending.delete(noted));
    pending.add(noted);
  };

  return {
    wake: (assigned) => {
      for (const [executor, assignments] of assigned) {
        // The executor finds them in `todo` all the same, with its next look.
        note(add(executor, assignments).catch((err: unknown) => log.warn({ err, executorId: executor }, "could not wake an executor")));
      }
    },
    forget: (executors) => {
      for (const executor of executors) {
        note(
          remove(executor).catch((err: unknown) => log.warn({ err, executorId: executor }, "could not remove the queue of an executor")),
        );
      }
    },
    close: async () => {
      await Promise.all(pending);
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}
