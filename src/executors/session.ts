import { Worker } from "bullmq";
import type { Logger } from "pino";
import { z } from "zod";
import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import type { Refusal } from "../redis/scripts/incarnation-reply.ts";
import { createAcceptor } from "./acceptor.ts";
import { type Agent, createAgent } from "./agent.ts";
import type { AttemptPorts } from "./attempt.ts";
import { type Heartbeats, startHeartbeats } from "./heartbeat-loop.ts";
import type { ReportSpool } from "./report-spool.ts";
import { createReporter } from "./reporter.ts";
import type { RunPlan } from "./run-plan.ts";
import { startSiblings } from "./siblings.ts";

/** Jobs of one executor that are worked on at once: they only wait for the acceptance that they share. */
const jobConcurrency = 8;
const lookEveryBeats = 3;
/** Pods are told that their executor lives this many times within their fence time, at least. */
const touchesPerFence = 10;

const maxSiblingsMs = 5_000;
const looksPerTtl = 4;

const AssignmentsJob = z.object({ assignments: z.array(z.string()) });

export interface SessionOptions {
  readonly executor: string;
  readonly pool: string;
  readonly incarnation: string;
  /** The last incarnation was declared lost. */
  readonly returned: boolean;
  readonly shards: number;
  readonly keys: Keys;
  /** Short commands. */
  readonly commands: RedisConnection;
  /** Opens a connection for the queue's worker, or for the subscription to wake-ups. */
  readonly connect: (role: "queue" | "blocking") => RedisConnection;
  readonly confirm: Confirm;
  readonly ports: AttemptPorts;
  readonly planOf: (runId: string) => Promise<RunPlan | undefined>;
  readonly spool: ReportSpool;
  readonly heartbeat: { readonly intervalMs: number; readonly ttlMs: number; readonly fenceMs: number };
  readonly observeRedisTime: (ms: number) => void;
  readonly log: Logger;
}

/** An executor's work under one incarnation. */
export interface Session {
  readonly agent: Agent;
  readonly heartbeats: Heartbeats;
  /** Why this incarnation counts no longer; settles once. */
  readonly refused: Promise<Refusal>;
  /** Resolves once the executor is to leave, and has nothing left. */
  readonly emptied: Promise<"emptied">;
  /** Redis may have forgotten something: reports are looked for again, and all that runs is told again. */
  readonly recover: () => Promise<void>;
  /** Stops listening for work; what runs goes on. */
  readonly stopTaking: () => Promise<void>;
  /** Leaves everything that runs to whoever attaches next. */
  readonly close: () => Promise<void>;
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { executor, incarnation, keys, commands, confirm, spool, log } = options;
  const { ttlMs, fenceMs, intervalMs } = options.heartbeat;
  const refused = Promise.withResolvers<Refusal>();
  const emptied = Promise.withResolvers<"emptied">();
  const onRefused = refused.resolve;
  const base = { redis: commands, keys, executor, incarnation, confirm, log, onRefused };
  const monotonicNow = () => performance.now();

  const readTodo = () => commands.hgetall(keys.executorTodo(executor));
  const reporter = createReporter(base);
  const acceptor = createAcceptor({ ...base, onVerdict: (...verdict) => agent.onVerdict(...verdict) });
  const agent: Agent = createAgent({
    executor,
    pool: options.pool,
    incarnation,
    ttlMs,
    ports: options.ports,
    spool,
    planOf: options.planOf,
    accept: acceptor.accept,
    send: reporter.send,
    readTodo,
    mayStart: () => heartbeats.mayStart(),
    monotonicNow,
    log,
  });

  const look = () => {
    agent.look().catch((err: unknown) => log.warn({ err, executorId: executor }, "could not read what is to be done"));
  };

  let touchedAt = 0;
  const heartbeats = startHeartbeats({
    ...base,
    intervalMs,
    ttlMs,
    fenceMs,
    monotonicNow,
    onFenced: () => agent.haltAll({ type: "fence" }),
    onRenewed: ({ redisNow, sentAt, count, leaveWhenEmpty }) => {
      options.observeRedisTime(redisNow);
      if (leaveWhenEmpty && agent.assignments().length === 0 && isEmpty(spool.unsettled())) emptied.resolve("emptied");
      if (sentAt - touchedAt >= fenceMs / touchesPerFence) {
        touchedAt = sentAt;
        agent.touchPods(sentAt);
      }
      if (count % lookEveryBeats === 0) {
        look();
        spool.sweep().catch((err: unknown) => log.warn({ err }, "old reports could not be removed"));
      }
    },
  });

  const recall = async () => spool.recall(new Set(Object.keys(await readTodo())));
  await recall();
  const queue = options.connect("queue");
  const worker = new Worker(
    `executor-${executor}`,
    async (job) => {
      const { assignments } = AssignmentsJob.parse(job.data);
      look();
      await agent.take(assignments);
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

  const wake = options.connect("blocking");
  await wake.connect();
  wake.on("message", look);
  // After a pause in the subscription a wake-up may have been missed.
  wake.on("ready", look);
  await wake.subscribe(keys.executorWake(executor));
  look();

  const siblings = startSiblings({
    ...options.heartbeat,
    ...options,
    ...base,
    driver: options.ports.driver,
    installation: options.ports.identity.installation,
    group: options.ports.identity.group,
    everyMs: Math.min(maxSiblingsMs, ttlMs / looksPerTtl),
    ownAssignments: async () => new Set([...Object.keys(await readTodo()), ...agent.assignments(), ...spool.unsettled()]),
    monotonicNow,
  });

  const stopTaking = async () => {
    agent.drain();
    await worker.close();
    queue.disconnect();
  };
  return {
    agent,
    heartbeats,
    refused: refused.promise,
    emptied: emptied.promise,
    recover: async () => {
      await recall();
      agent.tellAgain();
      await agent.look();
    },
    stopTaking,
    close: async () => {
      heartbeats.close();
      await siblings.close();
      wake.disconnect();
      await stopTaking();
      reporter.close();
      await agent.leaveAll();
    },
  };
}

function isEmpty(things: Iterable<unknown>): boolean {
  for (const _ of things) return false;
  return true;
}
