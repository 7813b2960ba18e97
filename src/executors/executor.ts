import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { leaveExecutor } from "../redis/scripts/leave-executor.ts";
import type { Role } from "../serve/run-role.ts";
import { StartError } from "../serve/start-error.ts";
import type { Driver } from "./driver.ts";
import { type Equipment, openEquipment } from "./equipment.ts";
import { register } from "./registration.ts";
import { openSession, type Session } from "./session.ts";
import { watchConnection } from "./watch-connection.ts";

/** Tasks that are nearly done may end; longer ones go on without their executor, for the next one that starts here. */
const drainMs = 10_000;
const removePauseMs = 1_000;

export interface ExecutorInput {
  readonly config: Config;
  readonly log: Logger;
  /** Instead of the configured one: benchmarks and simulations bring their own. */
  readonly driver?: Driver;
}

/** Another process runs under this executor's id: this one has nothing to touch any more. */
export class Superseded extends StartError {
  constructor(executor: string) {
    super(`another process took over as executor ${executor}: give each its own OSTLER_EXECUTOR_ID`);
  }
}

/**
 * The executor role: registers, does what it is told, and comes back under a new incarnation when it was declared lost.
 * `close` takes no new work, gives what runs ten seconds, and leaves the rest to the next process with this executor's id.
 */
export function startExecutor({ config, log, driver }: ExecutorInput): Role {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const closers: (() => Promise<void> | void)[] = [];

  const run = async () => {
    const equipment = await openEquipment({ config, log, driver, onOpen: (close) => closers.push(close) });
    let session: Session | undefined;
    const { commands, keys, installation } = equipment;
    const onLost = () => session?.suspend();
    const onBack = async () => session?.recover();
    watchConnection({ commands, keys, history: installation.history, log, onLost, onBack, signal: stop.signal });
    for (;;) {
      session = await begin(equipment, { config, log, signal: stop.signal });
      ready.resolve();
      const why = await Promise.race([session.refused, session.emptied, aborted(stop.signal)]);
      if (why === "aborted" || why === "emptied") {
        await leave(equipment, { config, log, session });
        // Who was emptied by an operator stays away until started again; nobody starts a dynamic executor again.
        if (why === "emptied" && !config.executor.dynamic) await aborted(stop.signal);
        return;
      }
      log.error({ executorId: config.executor.id, why }, "this executor's incarnation counts no longer");
      await session.close();
      if (why === "superseded") throw new Superseded(config.executor.id);
      await removeOwnPods(equipment, { executor: config.executor.id, signal: stop.signal, log });
    }
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
      for (const close of closers.reverse()) await close();
    },
  };
}

/** Registers, and opens the work under the new incarnation. */
async function begin(
  equipment: Equipment,
  { config, log, signal }: { readonly config: Config; readonly log: Logger; readonly signal: AbortSignal },
): Promise<Session> {
  const { keys, commands, clock, ports } = equipment;
  const description = equipment.describe();
  const { installation, shards } = equipment.installation;
  const { id, pool, fenceMs } = config.executor;
  const heartbeat = { intervalMs: config.heartbeatIntervalMs, ttlMs: config.heartbeatTtlMs, fenceMs };
  const { incarnation, now, how } = await register({ redis: commands, keys, description, shards, log, ...heartbeat }, signal);
  clock.observe(now);
  log.info({ executorId: id, incarnation, how }, "registered");
  return openSession({
    ...equipment,
    executor: id,
    pool,
    description,
    incarnation,
    returned: how === "lost-before",
    shards,
    ports: { ...ports, identity: { installation, executor: id, incarnation, group: description.group, fenceMs } },
    heartbeat,
    observeRedisTime: clock.observe,
    log,
  });
}

/** Drains for a while; says good-bye if nothing is left. */
async function leave(
  { commands, keys, installation }: Equipment,
  { config, log, session }: { readonly config: Config; readonly log: Logger; readonly session: Session },
): Promise<void> {
  const { id, pool } = config.executor;
  await session.stopTaking();
  const over = new AbortController();
  await Promise.race([session.agent.idle(), delay(drainMs, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
  // First: a heartbeat after the good-bye would look like a return.
  session.heartbeats.close();
  const reply = await leaveExecutor(commands, keys, {
    executor: id,
    pool,
    incarnation: session.incarnation,
    shards: installation.shards,
  }).catch((err: unknown) => {
    log.warn({ err, executorId: id }, "could not say good-bye: the heartbeat will expire instead");
  });
  log.info({ executorId: id, farewell: reply?.type, left: session.agent.assignments() }, "closing");
  await session.close();
}

function aborted(signal: AbortSignal): Promise<"aborted"> {
  if (signal.aborted) return Promise.resolve("aborted");
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"), { once: true }));
}

/** Declared lost: none of this executor's pods may go on, since others may run their tasks again. */
async function removeOwnPods(
  { ports: { driver }, installation }: Equipment,
  { executor, signal, log }: { readonly executor: string; readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const own = (await driver.list(installation.installation, signal)).filter((pod) => pod.owner.executor === executor);
      if (own.length === 0) return;
      await Promise.all(own.map((pod) => driver.remove(pod.id, 0, signal)));
    } catch (err) {
      log.error({ err, executorId: executor }, "own pods could not be removed yet");
      await delay(removePauseMs, undefined, { signal });
    }
  }
}
