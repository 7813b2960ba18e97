import { type Job, Worker } from "bullmq";
import { z } from "zod";
import { archiveQueue } from "../actors/wakes.ts";
import { parseRunId } from "../ids.ts";
import { inParallel } from "../ost/in-parallel.ts";
import { type Letter, sendMail } from "../redis/mail.ts";
import { isTerminalPhase } from "../runs/states.ts";
import { archiveRun } from "./archive-run.ts";
import type { ArchiverOptions } from "./archiver-options.ts";
import { writeDefinition } from "./definition-object.ts";
import { deleteRun } from "./delete-run.ts";
import { readLiveRun } from "./live-run.ts";
import { startSweeper } from "./sweeper.ts";

/** One run's work; answers what to tell the run actor, or undefined if there is nothing to say (yet). */
type Handler = (options: ArchiverOptions, runId: string) => Promise<"definition-written" | "archived" | "deleted" | undefined>;

/**
 * By the name of the job. All are idempotent: the owner hands the same work out again every minute until the run has
 * committed that it is done, so that a worker may be killed anywhere, and a mail may come twice.
 */
const handlers: Readonly<Record<string, Handler>> = {
  "write-definitions": async ({ redis, keys, store }, runId) => {
    const live = await readLiveRun(redis, keys, runId);
    if (live.type !== "live") return undefined;
    await writeDefinition(store, live.run.stored);
    return "definition-written";
  },
  "archive-runs": async (options, runId) => {
    const live = await readLiveRun(options.redis, options.keys, runId);
    if (live.type !== "live" || live.run.head.deletion || !isTerminalPhase(live.run.head.phase)) return undefined;
    if (!(await archiveRun(options, live.run, live.now))) return undefined;
    options.metrics?.archive.archived(live.run.tasks.flatMap((task) => ("attempts" in task ? task.attempts : [])));
    return "archived";
  },
  "delete-runs": async ({ redis, keys, store }, runId) => {
    const live = await readLiveRun(redis, keys, runId);
    if (live.type !== "live" || !live.run.head.deletion) return undefined;
    await deleteRun(store, { runId, known: live.run.stored, now: live.now });
    return "deleted";
  },
};

/** Runs of a job that are worked on at once: their small writes to ost share what they wait for. */
const runsAtOnce = 16;
const jobsAtOnce = 2;
/** A worker that was killed leaves its job to others after this long. */
const lockMs = 30_000;

const Work = z.object({ runs: z.array(z.string().refine((id) => parseRunId(id) !== undefined)).max(1_000) });

/** Starts the worker of the archive queue, and the sweeps. `close` waits for what is under way. */
export async function startArchiver(options: ArchiverOptions): Promise<{ readonly close: () => Promise<void> }> {
  const { keys, log } = options;
  const connection = options.connect();
  const worker = new Worker(archiveQueue, (job: Job<unknown>) => work(options, job), {
    connection,
    prefix: keys.prefix,
    concurrency: jobsAtOnce,
    lockDuration: lockMs,
    maxStalledCount: 1_000,
    removeOnComplete: { count: 100 },
    removeOnFail: { count: 1_000 },
  });
  worker.on("error", (err) => log.warn({ err, queue: archiveQueue }, "queue worker error"));
  await worker.waitUntilReady();
  const sweeper = await startSweeper(options, connection);
  return {
    close: async () => {
      await sweeper.close();
      await worker.close();
      connection.disconnect();
    },
  };
}

async function work(options: ArchiverOptions, job: Job<unknown>): Promise<void> {
  const handler = handlers[job.name];
  if (!handler) throw new Error(`no such work: ${job.name}`);
  const { runs } = Work.parse(job.data);
  const letters = new Map<number, Letter[]>();
  let failed = 0;
  await inParallel(runs, runsAtOnce, async (runId) => {
    try {
      const done = await handler(options, runId);
      if (done) addLetter(letters, runId, done);
    } catch (err) {
      failed += 1;
      options.metrics?.archive.failed();
      options.log.error({ err, runId, work: job.name }, "archiving failed; it is repeated until it succeeds");
    }
  });
  for (const [shard, mail] of letters) await sendMail(options.redis, options.keys, shard, mail);
  if (failed > 0) throw new Error(`${failed} of ${runs.length} runs failed; the log tells why`);
}

function addLetter(letters: Map<number, Letter[]>, runId: string, type: string): void {
  const shard = parseRunId(runId)?.shard;
  if (shard === undefined) return;
  const letter: Letter = [`run/${runId}`, { type }];
  const mail = letters.get(shard);
  if (mail) mail.push(letter);
  else letters.set(shard, [letter]);
}
