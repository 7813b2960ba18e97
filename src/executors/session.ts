import type { Logger } from "pino";
import type { Metrics } from "../metrics.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import type { Refusal } from "../redis/scripts/incarnation-reply.ts";
import type { Registration } from "../redis/scripts/register-executor.ts";
import { createAcceptor } from "./acceptor.ts";
import { type Agent, createAgent } from "./agent.ts";
import type { AttemptPorts } from "./attempt.ts";
import { type Heartbeats, type Renewal, startHeartbeats } from "./heartbeat-loop.ts";
import { declareChangedArchs, type OfferedArchs } from "./offered-archs.ts";
import type { ReportSpool } from "./report-spool.ts";
import { createReporter } from "./reporter.ts";
import type { RunPlan } from "./run-plan.ts";
import { lookPace, startSiblings } from "./siblings.ts";
import { keepPodsInTime } from "./timely-pods.ts";
import { listenForWork } from "./work-signals.ts";

const lookEveryBeats = 3;
const resendAfterBeats = 3;
/** Jobs may come by the hundred a second, and `todo` may hold a thousand assignments: reading it for each would cost more than the work. */
const jobLookPauseMs = 250;

export interface SessionOptions {
  readonly executor: string;
  readonly pool: string;
  /** As it was registered. */
  readonly description: Registration["description"];
  readonly archs: OfferedArchs;
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
  /** Stores logs that nobody writes any more. */
  readonly finishLeftoverLogs: (isBusy: (assignment: string) => boolean) => Promise<void>;
  readonly heartbeat: { readonly intervalMs: number; readonly ttlMs: number; readonly fenceMs: number };
  readonly observeRedisTime: (ms: number) => void;
  readonly log: Logger;
  readonly metrics?: Metrics["executor"];
}

/** An executor's work under one incarnation. */
export interface Session {
  readonly incarnation: string;
  readonly agent: Agent;
  readonly heartbeats: Heartbeats;
  /** Why this incarnation counts no longer; settles once. */
  readonly refused: Promise<Refusal>;
  /** Resolves once the executor is to leave, and has nothing left. */
  readonly emptied: Promise<"emptied">;
  /** The connection is gone: nothing is accepted until `recover`. */
  readonly suspend: () => void;
  /** The connection is back, and Redis may have forgotten something: reports are looked for again, all that runs is told again. */
  readonly recover: () => Promise<void>;
  /** Stops taking work; what runs goes on. */
  readonly stopTaking: () => Promise<void>;
  /** Leaves everything that runs to whoever attaches next. */
  readonly close: () => Promise<void>;
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { executor, keys, commands, spool, log, heartbeat } = options;
  const refused = Promise.withResolvers<Refusal>();
  const emptied = Promise.withResolvers<"emptied">();
  const base = { ...options, ...heartbeat, redis: commands, onRefused: refused.resolve, monotonicNow: () => performance.now() };

  const readTodo = () => commands.hgetall(keys.executorTodo(executor));
  const reporter = createReporter(base);
  const acceptor = createAcceptor({ ...base, onVerdict: (...verdict) => agent.onVerdict(...verdict) });
  const mayStart = () => heartbeats.mayStart();
  const driver = keepPodsInTime(options.ports.driver, { ttlMs: heartbeat.ttlMs, mayStart, renewedAt: () => heartbeats.renewedAt() });
  const agent: Agent = createAgent({
    ...base,
    ports: { ...options.ports, driver },
    resendAfterMs: resendAfterBeats * heartbeat.intervalMs,
    accept: acceptor.accept,
    send: reporter.send,
    readTodo,
    mayStart,
  });
  const look = () => {
    agent.look().catch((err: unknown) => log.warn({ err, executorId: executor }, "could not read what is to be done"));
  };
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** A job names what it brings: the look is for what else may have changed, and can wait for the next one. */
  const lookAtJob = () => {
    if (base.monotonicNow() - lookedAt < jobLookPauseMs) return;
    lookedAt = base.monotonicNow();
    look();
  };
  const recall = async () => spool.recall(new Set(Object.keys(await readTodo())));

  await recall();
  const upkeep = createUpkeep({ ...options, agent, look, onEmpty: () => emptied.resolve("emptied") });
  const heartbeats = startHeartbeats({ ...base, onRenewed: upkeep, onFenced: agent.fence });
  const signals = await listenForWork({ ...base, onWake: look, onJob: lookAtJob, onAssignments: agent.take }).catch((error: unknown) => {
    // Without ears it must not look alive.
    heartbeats.close();
    throw error;
  });
  look();
  const { installation, group } = options.ports.identity;
  const ownAssignments = async () => new Set([...Object.keys(await readTodo()), ...agent.assignments(), ...spool.unsettled()]);
  const pace = lookPace(heartbeat.ttlMs);
  const archs = declareChangedArchs({ ...base, everyMs: pace.everyMs });
  const siblings = startSiblings({
    ...base,
    driver: options.ports.driver,
    installation,
    group,
    pace,
    ownAssignments,
    afterLook: async () => {
      const own = await ownAssignments();
      await options.finishLeftoverLogs((assignment) => own.has(assignment));
      await spool.sweep();
    },
  });

  return {
    incarnation: options.incarnation,
    agent,
    heartbeats,
    refused: refused.promise,
    emptied: emptied.promise,
    suspend: agent.suspend,
    recover: async () => {
      archs.again();
      await recall();
      agent.resume();
      await agent.look();
    },
    stopTaking: async () => {
      agent.drain();
      await signals.stopTaking();
    },
    close: async () => {
      heartbeats.close();
      await Promise.all([siblings.close(), archs.close()]);
      agent.drain();
      await signals.close();
      reporter.close();
      await agent.leaveAll();
    },
  };
}

interface UpkeepOptions extends Pick<SessionOptions, "observeRedisTime" | "spool"> {
  readonly agent: Agent;
  readonly look: () => void;
  readonly onEmpty: () => void;
}

/** What every answered heartbeat brings about. */
function createUpkeep({ observeRedisTime, spool, agent, look, onEmpty }: UpkeepOptions): (renewal: Renewal) => void {
  return ({ redisNow, sentAt, count, leaveWhenEmpty }) => {
    observeRedisTime(redisNow);
    if (leaveWhenEmpty && agent.assignments().length === 0 && [...spool.unsettled()].length === 0) onEmpty();
    agent.touchPods(sentAt);
    if (count % lookEveryBeats === 0) look();
  };
}
