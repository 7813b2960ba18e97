import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { startArchiver } from "../archive/worker.ts";
import type { Config } from "../config.ts";
import { randomId } from "../ids.ts";
import { joinInstallation } from "../installation.ts";
import { measureStore } from "../measured-store.ts";
import { createMetrics } from "../metrics.ts";
import { openStore } from "../ost/open.ts";
import { publishMetrics } from "../publish-metrics.ts";
import { createRedis } from "../redis/connection.ts";
import { decodeDefinition } from "../redis/definition-codec.ts";
import { createConfirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import { createKeys } from "../redis/keys.ts";
import type { Role } from "../serve/run-role.ts";
import type { RecordedWork } from "./actor.ts";
import { createExecutorActor } from "./executor/actor.ts";
import { createExecutorGroupActor } from "./executor-group/actor.ts";
import { createHost, type Host } from "./host.ts";
import { createHandout } from "./outlets.ts";
import { createOwner, type OwnerMetrics } from "./owner.ts";
import { createPoolActor } from "./pool/actor.ts";
import { createRedisOwnerStore } from "./redis-owner-store.ts";
import { createRootGroupActor } from "./root-group/actor.ts";
import { createRunActor } from "./run/actor.ts";
import { archiveQueue, createQueueWakes, openQueue } from "./wakes.ts";

/** Every kind of actor, by kind. To add one: its folder, and a line here. */
export function hostActors(keys: Keys): ReadonlyMap<string, Host> {
  const hosts = [
    createHost(createRunActor({ keys, decodeDefinition })),
    createHost(createRootGroupActor({ keys })),
    createHost(createPoolActor({ keys })),
    createHost(createExecutorActor()),
    createHost(createExecutorGroupActor()),
  ];
  return new Map(hosts.map((host) => [host.kind, host]));
}

/** What recorded work is called in the archive queue. */
const jobNames = {
  "write-definition": "write-definitions",
  archive: "archive-runs",
  "delete-run": "delete-runs",
} as const satisfies Record<RecordedWork["type"], string>;

/** Of each part: queues wait for ever for a Redis that is away. What they hold is in Redis, or is handed out again by the next owner. */
const closePatienceMs = 5_000;

/** The scheduler role: hosts the actors of the shards that fall to it, and the workers of what leaves Redis. */
export function startScheduler({
  config,
  log,
  metrics,
}: {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics?: OwnerMetrics;
}): Role {
  const url = config.redisUrl;
  if (url === undefined) throw new Error("the scheduler role needs OSTLER_REDIS_URL");
  const keys = createKeys(config.redisPrefix);
  const connect = (role: Parameters<typeof createRedis>[1], name: string) =>
    createRedis(url, role, (err) => log.warn({ err, connection: name }, "Redis connection error"));
  const stop = new AbortController();
  const closers: (() => Promise<void> | void)[] = [];
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();

  const run = async () => {
    const commands = connect("commands", "commands");
    closers.push(() => commands.disconnect());
    const counted = createMetrics();
    const store = measureStore(await openStore(config.ostUrl), counted);
    const { shards } = await joinInstallation({ redis: commands, keys, store, shards: config.shards, adopt: config.adopt, log });
    const commit = connect("commit", "commit");
    const blocking = connect("blocking", "inbox");
    const queue = connect("queue", "queues");
    closers.push(() => {
      for (const connection of [commit, blocking, queue]) connection.disconnect();
    });
    await commit.connect();
    const confirm = await createConfirm(commit, keys, config.durability);
    const archive = openQueue(archiveQueue, queue, keys, (err) => log.warn({ err }, "queue error"));
    const wakes = createQueueWakes({ connection: queue, keys, log });
    closers.push(
      () => wakes.close(),
      () => archive.close(),
    );
    const archiver = await startArchiver({
      redis: commands,
      connect: () => connect("queue", "archiver"),
      keys,
      store,
      log,
      metrics: counted,
    });
    closers.push(() => archiver.close());

    const owner = createOwner({
      scheduler: randomId(12),
      shards,
      leaseMs: config.shardLeaseMs,
      heartbeatTtlMs: config.heartbeatTtlMs,
      store: createRedisOwnerStore({ redis: commit, blocking, keys, shards, confirm }),
      hosts: hostActors(keys),
      keys,
      wakes,
      handout: createHandout(
        async (type, runs) => {
          await archive.add(jobNames[type], { runs });
        },
        (err) => log.warn({ err }, "could not hand work to the archive queue"),
      ),
      monotonicMs: () => performance.now(),
      sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
      log,
      metrics: metrics ?? counted.owner,
    });
    const publishing = publishMetrics(
      { redis: commands, keys, processId: `scheduler-${randomId(12)}`, metrics: counted, log },
      stop.signal,
    );
    closers.push(() => publishing);
    const running = owner.run(stop.signal);
    closers.push(() => {
      stop.abort();
      blocking.disconnect();
      return running;
    });
    resolve();
    await running;
  };
  const running = run();
  running.catch(reject);
  // Whoever waits for `ready` learns of it; nobody need wait.
  ready.catch(() => {});

  return {
    ready,
    ended: running,
    close: async () => {
      stop.abort();
      for (const close of [...closers].reverse()) {
        const closed = Promise.resolve(close()).catch((err: unknown) => log.warn({ err }, "could not close in order"));
        await Promise.race([closed, delay(closePatienceMs, undefined, { ref: false })]);
      }
    },
  };
}
