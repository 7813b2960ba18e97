import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import type { Config } from "../config.ts";
import { joinInstallation } from "../installation.ts";
import type { LogOutlets } from "../ost/finish-log.ts";
import { openStore } from "../ost/open.ts";
import { createRedisClock } from "../redis/clock.ts";
import { createRedis, type RedisConnection } from "../redis/connection.ts";
import { createConfirm } from "../redis/durability.ts";
import { createKeys } from "../redis/keys.ts";
import { meetServer } from "../redis/meet.ts";
import { leaveExecutor } from "../redis/scripts/leave-executor.ts";
import { createSealer, loadSecretKey } from "../secrets.ts";
import type { Role } from "../serve/run-role.ts";
import type { AttemptJob } from "./attempt.ts";
import { createInputs } from "./attempt-inputs.ts";
import type { Driver } from "./driver.ts";
import { createDriver } from "./drivers.ts";
import type { Masker } from "./masking.ts";
import { register } from "./registration.ts";
import { openReportSpool } from "./report-spool.ts";
import { createRunPlans } from "./run-plan.ts";
import { openSession, type Session } from "./session.ts";
import { openStepLog } from "./step-log.ts";

/** Tasks that are nearly done may end; longer ones go on without their executor, for the next one that starts here. */
const drainMs = 10_000;

export interface ExecutorInput {
  readonly config: Config;
  readonly log: Logger;
  /** Instead of the configured one: benchmarks and simulations bring their own. */
  readonly driver?: Driver;
}

/** Another process runs under this executor's id: this one has nothing to touch any more. */
export class Superseded extends Error {
  constructor(executor: string) {
    super(`another process took over as executor ${executor}`);
    this.name = "Superseded";
  }
}

const version = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))).version;

/** The executor role: registers, does what it is told, and comes back under a new incarnation when it was declared lost. */
export function startExecutor({ config, log, driver: given }: ExecutorInput): Role {
  const url = config.redisUrl;
  if (url === undefined) throw new Error("the executor role needs OSTLER_REDIS_URL");
  const { id, pool, labels, taskLimit, dynamic, fenceMs, allowPrivileged } = config.executor;
  const folder = join(config.dataDir, "executors", id);
  const keys = createKeys(config.redisPrefix);
  const connect = (role: Parameters<typeof createRedis>[1]): RedisConnection =>
    createRedis(url, role, (err) => log.warn({ err, connection: role }, "Redis connection error"));
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  let session: Session | undefined;
  let closing: (() => Promise<void>) | undefined;

  const run = async () => {
    const driver =
      given ?? createDriver({ driver: config.executor.driver, dataDir: config.dataDir, hostEnvironment: config.hostEnvironment });
    if (driver.warning !== undefined) log.warn(driver.warning);
    const commands = connect("commands");
    closing = async () => {
      await driver.close();
      commands.disconnect();
    };
    const store = await openStore(config.ostUrl);
    const installation = await joinInstallation({ redis: commands, keys, store, shards: config.shards, log });
    const sealer = createSealer(await loadSecretKey(config));
    const confirm = await createConfirm(commands, keys, config.durability);
    const clock = createRedisClock(Date.now(), () => performance.now());
    const spool = await openReportSpool(join(folder, "reports"), { now: () => Date.now(), log });
    closing = async () => {
      await spool.close();
      await driver.close();
      commands.disconnect();
    };
    const description = {
      id,
      pool,
      group: config.executor.group ?? (await driver.groupId()),
      driver: driver.name,
      archs: [...(config.executor.archs ?? (await driver.archs()))],
      labels,
      taskLimit,
      allowPrivileged: allowPrivileged && driver.allowsPrivileged,
      dynamic,
      version,
    };
    const outlets: LogOutlets = { store, redis: commands, keys };
    const openLog = ({ assignment, attempt, plan, node, resumed }: AttemptJob, step: string, masker: Masker) =>
      openStepLog({
        outlets,
        place: { assignment, runId: plan.runId, task: node.name, attempt, step },
        spoolPath: join(folder, "logs", `${assignment}.${step}`),
        resumed,
        masker,
        now: clock.now,
        log,
      });
    const planOf = createRunPlans(commands, keys);
    const { heartbeatIntervalMs: intervalMs, heartbeatTtlMs: ttlMs } = config;

    watchHistory(commands, installation.history, async () => session?.recover());

    for (;;) {
      const registration = { redis: commands, keys, description, ttlMs, fenceMs, shards: installation.shards, log };
      const { incarnation, now, how } = await register(registration, stop.signal);
      clock.observe(now);
      log.info({ executorId: id, incarnation, how }, "registered");
      const identity = { installation: installation.installation, executor: id, incarnation, group: description.group, fenceMs };
      session = await openSession({
        executor: id,
        pool,
        incarnation,
        returned: how === "lost-before",
        shards: installation.shards,
        keys,
        commands,
        connect,
        confirm,
        planOf,
        spool,
        ports: { driver, store, open: sealer.open, identity, now: clock.now, openLog, inputsOf: createInputs(commands, keys) },
        heartbeat: { intervalMs, ttlMs, fenceMs },
        observeRedisTime: clock.observe,
        log,
      });
      ready.resolve();
      const why = await Promise.race([session.refused, session.emptied, aborted(stop.signal)]);
      if (why === "aborted" || why === "emptied") {
        await drain(session);
        // First: a heartbeat after the good-bye would look like a return.
        session.heartbeats.close();
        const left = await leaveExecutor(commands, keys, { executor: id, pool, incarnation, shards: installation.shards }).catch(
          () => undefined,
        );
        log.info({ executorId: id, left: left?.type === "left" }, "closing");
        await session.close();
        // An executor that an operator has emptied stays away until it is started again; nobody starts a dynamic one again.
        if (why === "emptied" && !dynamic) await aborted(stop.signal);
        return;
      }
      log.error({ executorId: id, incarnation, why }, "this incarnation counts no longer");
      await session.close();
      if (why === "superseded") throw new Superseded(id);
      await removeOwnPods(driver, { installation: installation.installation, executor: id }, stop.signal, log);
    }
  };

  /** A server that may have lost its last second starts a new history. */
  const watchHistory = (commands: RedisConnection, first: string, onChange: () => Promise<void>) => {
    let history = first;
    commands.on("ready", () => {
      meetServer(commands, keys)
        .then(async (met) => {
          if (met?.history !== history) log.warn({ history: met?.history }, "Redis has a new history: it may have forgotten something");
          history = met?.history ?? history;
          await onChange();
        })
        .catch((err: unknown) => log.warn({ err }, "could not recover after a reconnect"));
    });
  };

  const running = run();
  running.catch(ready.reject);
  ready.promise.catch(() => {});
  return {
    ready: ready.promise,
    ended: running,
    close: async () => {
      stop.abort();
      await running.catch(() => {});
      await closing?.();
    },
  };
}

function aborted(signal: AbortSignal): Promise<"aborted"> {
  if (signal.aborted) return Promise.resolve("aborted");
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"), { once: true }));
}

/** Takes nothing new, and gives what runs a little time to end. */
async function drain(session: Session): Promise<void> {
  await session.stopTaking();
  const over = new AbortController();
  await Promise.race([session.agent.idle(), delay(drainMs, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}

/** Declared lost: none of this executor's pods may go on, since others may run their tasks again. */
async function removeOwnPods(
  driver: Driver,
  owner: { readonly installation: string; readonly executor: string },
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const own = (await driver.list(owner.installation, signal)).filter((pod) => pod.owner.executor === owner.executor);
      if (own.length === 0) return;
      await Promise.all(own.map((pod) => driver.remove(pod.id, 0, signal)));
    } catch (err) {
      log.error({ err, executorId: owner.executor }, "own pods could not be removed yet");
      await delay(1_000, undefined, { signal });
    }
  }
}
