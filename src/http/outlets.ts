import type { Logger } from "pino";
import { type Commander, createCommander } from "../actors/commander.ts";
import type { Config } from "../config.ts";
import type { Check } from "../doctor/examine.ts";
import { checkObjectStorage } from "../doctor/object-storage.ts";
import { checkRedis } from "../doctor/redis.ts";
import { randomId } from "../ids.ts";
import { joinInstallation } from "../installation.ts";
import { measureStore } from "../measured-store.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { createLogReader, type LogReader } from "../ost/log-reader.ts";
import { openStore } from "../ost/open.ts";
import type { Store } from "../ost/store.ts";
import { createTailWatch } from "../ost/tail-watch.ts";
import { type ConnectionRole, createRedis, type RedisConnection } from "../redis/connection.ts";
import { type Confirm, createConfirm } from "../redis/durability.ts";
import { createKeys, type Keys } from "../redis/keys.ts";
import { createKnownInstallation, type KnownInstallation } from "./installation.ts";
import { createQueues, type Queues } from "./queues.ts";

/** Everything outside this process that the api role talks to. */
export interface Outlets {
  /** For short commands. */
  readonly redis: RedisConnection;
  /** A connection for blocking reads, which the caller closes. */
  readonly connectBlocking: () => RedisConnection;
  readonly keys: Keys;
  readonly shards: number;
  readonly installation: KnownInstallation;
  readonly confirm: Confirm;
  readonly store: Store;
  readonly logs: LogReader;
  readonly commander: Commander;
  readonly queues: Queues;
  readonly metrics: Metrics;
  /** What the doctor looks at, over these same connections. */
  readonly serverChecks: readonly Check[];
}

export interface Opening {
  readonly config: Config;
  readonly log: Logger;
  /** What is opened is closed in reverse order, also after a start that failed half-way. */
  readonly onClose: (close: () => Promise<void> | void) => void;
}

export async function openOutlets({ config, log, onClose }: Opening): Promise<Outlets> {
  const { redisUrl } = config;
  if (redisUrl === undefined) throw new Error("the api role needs OSTLER_REDIS_URL");
  const keys = createKeys(config.redisPrefix);
  const connect = (role: ConnectionRole, name: string) => {
    const connection = createRedis(redisUrl, role, (err) => log.warn({ err, connection: name }, "Redis connection error"));
    onClose(() => connection.disconnect());
    return connection;
  };

  const redis = connect("commands", "commands");
  await redis.connect();
  const metrics = createMetrics();
  const store = measureStore(await openStore(config.ostUrl), metrics);
  const { shards } = await joinInstallation({ redis, keys, store, shards: config.shards, adopt: config.adopt, log });
  const installation = createKnownInstallation(redis, keys);
  await installation.refresh();
  redis.on("ready", () => {
    installation.refresh().catch((err: unknown) => log.warn({ err }, "could not ask Redis who it is"));
  });
  const confirm = await createConfirm(redis, keys, config.durability);

  await warnOfRedis({ redis, log }, config);
  const commander = createCommander({
    redis,
    blocking: connect("blocking", "replies"),
    keys,
    shards,
    processId: `api-${randomId(12)}`,
    confirm,
    onError: (err) => log.warn({ err }, "could not read replies"),
  });
  onClose(() => commander.close());
  const tails = createTailWatch(connect("blocking", "log tails"), keys);
  onClose(() => tails.close());
  const queues = createQueues({ connection: connect("queue", "queues"), redis, keys, onError: (err) => log.warn({ err }, "queue error") });
  onClose(() => queues.close());
  const logs = createLogReader({ store, redis, keys, awaitTail: tails.awaitTail });
  const connectBlocking = () => createRedis(redisUrl, "blocking");
  const serverChecks = checksOf({ redis, store }, config);
  return { redis, connectBlocking, keys, shards, installation, confirm, store, logs, commander, queues, metrics, serverChecks };
}

/** Says at the start what would be found out by a loss later. Whether to go on is the operator's decision. */
async function warnOfRedis({ redis, log }: { readonly redis: RedisConnection; readonly log: Logger }, config: Config): Promise<void> {
  const { durability, heartbeatTtlMs } = config;
  for (const finding of await checkRedis({ redis, durability, heartbeatTtlMs, now: Date.now })) {
    if (finding.state === "ok") continue;
    const { check, state, message, advice } = finding;
    log[state === "failed" ? "error" : "warn"]({ check, found: message, advice }, "Redis is not set up as it should be");
  }
}

function checksOf({ redis, store }: Pick<Outlets, "redis" | "store">, { durability, heartbeatTtlMs }: Config): readonly Check[] {
  const advice = "see the log of this process";
  return [
    { name: "redis", advice, perform: () => checkRedis({ redis, durability, heartbeatTtlMs, now: Date.now }) },
    { name: "object-storage", advice, perform: () => checkObjectStorage(store, Date.now) },
  ];
}
