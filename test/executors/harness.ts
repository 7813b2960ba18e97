import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { type Config, parseConfig } from "../../src/config.ts";
import type { Driver } from "../../src/executors/driver.ts";
import { startExecutor } from "../../src/executors/executor.ts";
import { createProcessDriver } from "../../src/executors/process/process-driver.ts";
import { assignmentId, createRunIds, parseRunId, rootOf, shardOfPool } from "../../src/ids.ts";
import { joinInstallation } from "../../src/installation.ts";
import { type LogPlace, layout } from "../../src/ost/layout.ts";
import { openLog } from "../../src/ost/log-object.ts";
import { openStore } from "../../src/ost/open.ts";
import type { Store } from "../../src/ost/store.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { encodeDefinition } from "../../src/redis/definition-codec.ts";
import { createKeys, type Keys } from "../../src/redis/keys.ts";
import { parseRunHash } from "../../src/runs/facts.ts";
import { compileGraph } from "../../src/runs/graph.ts";
import { AttemptOutcome } from "../../src/runs/outcome.ts";
import { parseDefinition } from "../../src/runs/parse-definition.ts";
import { encodeState, encodeTaskText } from "../../src/runs/record.ts";
import { newRun } from "../../src/runs/run.ts";
import type { TaskState } from "../../src/runs/task.ts";
import type { Role } from "../../src/serve/run-role.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const shards = 4;
const runIds = createRunIds();

/** A Redis, object storage and one executor's settings; the test plays the scheduler. */
export interface World {
  readonly server: TestRedis;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
  readonly config: Config;
  readonly folder: string;
  readonly podsDir: string;
  readonly start: (options?: { readonly driver?: Driver; readonly env?: Readonly<Record<string, string>> }) => Promise<Role>;
  /** An executor in a process of its own, once it is ready; it can be killed. */
  readonly spawn: (env?: Readonly<Record<string, string>>) => Promise<SpawnedExecutor>;
  /** Writes a run's definition, without its actor. */
  readonly createRun: (definition: Readonly<Record<string, unknown>>) => Promise<PlayedRun>;
  readonly assign: (assignment: string, executor?: string) => Promise<void>;
  readonly tell: (assignment: string, what: string, executor?: string) => Promise<void>;
  /** What was mailed to runs, in order. */
  readonly mail: () => Promise<readonly Mail[]>;
  readonly outcome: (assignment: string) => Promise<AttemptOutcome>;
  readonly settle: (assignment: string, executor?: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SpawnedExecutor {
  readonly child: ChildProcess;
  /** Kills it and waits until it is gone. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** The class of the error with which the role ended. */
  readonly ended: Promise<string | undefined>;
}

export interface Mail {
  readonly to: string;
  readonly message: Readonly<Record<string, unknown>> & { readonly type: string };
}

export interface PlayedRun {
  readonly runId: string;
  readonly assignment: (task: string, attempt?: number) => string;
  /** Writes the run's state as its actor would once these tasks have succeeded. */
  readonly succeeded: (tasks: Readonly<Record<string, AttemptOutcome>>) => Promise<void>;
}

export async function createWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const server = await startRedis(["--appendonly", "yes", "--appendfsync", "everysec"]);
  const folder = await mkdtemp(join(tmpdir(), "ostler-executor-"));
  const base: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    OSTLER_REDIS_URL: server.url,
    OSTLER_DATA_DIR: folder,
    OSTLER_ROLES: "executor",
    OSTLER_EXECUTOR_ID: "e1",
    OSTLER_DURABILITY: "everysec",
    OSTLER_SHARDS: String(shards),
    OSTLER_HEARTBEAT_INTERVAL: "100ms",
    OSTLER_HEARTBEAT_TTL: "1s",
    OSTLER_EXECUTOR_FENCE: "20s",
    OSTLER_LOG_LEVEL: "silent",
    ...env,
  };
  const config = parseConfig({ env: base, argv: [] });
  const keys = createKeys(config.redisPrefix);
  const redis = createRedis(server.url, "commands");
  const store = await openStore(config.ostUrl);
  const log = pino({ level: "silent" });
  await joinInstallation({ redis, keys, store, shards, log });
  const roles: Role[] = [];
  const children: ChildProcess[] = [];

  const mail = async () => {
    const all: Mail[] = [];
    for (let shard = 0; shard < shards; shard++) {
      for (const [, fields] of await redis.xrange(keys.inbox(shard), "-", "+")) {
        for (const [to, message] of JSON.parse(fields[1] ?? "[]")) all.push({ to, message });
      }
    }
    return all;
  };

  const tell: World["tell"] = async (assignment, what, executor = config.executor.id) => {
    await redis.hset(keys.executorTodo(executor), assignment, what);
    await redis.publish(keys.executorWake(executor), "look");
  };

  return {
    server,
    redis,
    keys,
    store,
    config,
    folder,
    podsDir: join(folder, "pods"),
    start: async ({ driver, env: changed = {} } = {}) => {
      const role = startExecutor({
        config: parseConfig({ env: { ...base, ...changed }, argv: [] }),
        log: pino({ level: process.env.TEST_LOG ?? "silent" }),
        ...(driver && { driver }),
      });
      roles.push(role);
      await role.ready;
      return role;
    },
    spawn: async (changed = {}) => {
      const child = fork(new URL("./executor-process.ts", import.meta.url), {
        env: { ...base, TEST_LOG: process.env.TEST_LOG ?? "silent", ...changed },
      });
      children.push(child);
      const exited = once(child, "exit");
      let error: string | undefined;
      const ready = new Promise<void>((resolve, reject) => {
        child.on("message", (message: { type: string; error?: string }) => {
          if (message.type === "ready") resolve();
          else error = message.error;
        });
        exited.then(() => reject(new Error(`the executor ended: ${error}`)), reject);
      });
      await ready;
      return {
        child,
        ended: exited.then(() => error),
        kill: async (signal) => {
          child.kill(signal);
          await exited;
        },
      };
    },
    createRun: async (raw) => {
      const definition = parseDefinition({ name: "test", group: "/project/web", ...raw });
      const runId = runIds({ timeMs: Date.now(), shard: shardOfPool("any", shards) });
      const createdAt = Date.now();
      const stored = { version: 1 as const, runId, group: definition.group, createdAt, definition };
      await redis.set(keys.runDefinition(runId), encodeDefinition(JSON.stringify(stored)));
      const summary = {
        number: "7",
        group: definition.group,
        name: definition.name,
        root: rootOf(definition.group),
        phase: "queued",
        createdAt: String(createdAt),
      };
      await redis.hset(keys.run(runId), summary);
      const graph = compileGraph(definition);
      return {
        runId,
        assignment: (task, attempt = 1) => assignmentId({ runId, task: graph.indexOf(task) ?? -1, attempt, session: "s1" }),
        succeeded: async (outcomes) => {
          const hash = parseRunHash(runId, summary);
          if (hash.type !== "known") throw new Error("an unknown run");
          const run = newRun({ stored, graph, facts: hash.facts });
          const texts = run.tasks.map((task, index) => {
            const outcome = outcomes[graph.tasks[index]?.name ?? ""];
            return encodeTaskText(outcome ? ended(outcome, createdAt) : task, createdAt);
          });
          await redis.hset(keys.state(parseRunId(runId)?.shard ?? 0), `run/${runId}`, encodeState(run, texts));
        },
      };
    },
    assign: async (assignment, executor = config.executor.id) => {
      const incarnation = await redis.hget(keys.executor(executor), "incarnation");
      await tell(assignment, `run:${incarnation}`, executor);
    },
    tell,
    mail,
    outcome: async (assignment) => {
      let found: AttemptOutcome | undefined;
      await until(`${assignment} ends`, async () => {
        const end = (await mail()).findLast(({ message }) => message.type === "attempt-ended" && message.assignment === assignment);
        found = end && AttemptOutcome.parse(end.message.outcome);
        return found !== undefined;
      });
      if (!found) throw new Error("no outcome");
      return found;
    },
    settle: async (assignment, executor = config.executor.id) => {
      await redis.hdel(keys.executorTodo(executor), assignment);
      await redis.hdel(keys.executorHeld(executor), assignment);
    },
    close: async () => {
      for (const role of roles) await role.close();
      for (const child of children) child.kill("SIGKILL");
      const pods = createProcessDriver({ podsDir: join(folder, "pods"), hostEnvironment: {} });
      const forever = new AbortController().signal;
      const installation = (await redis.hget(keys.meta, "installation").catch(() => null)) ?? "";
      for (const pod of await pods.list(installation, forever)) await pods.remove(pod.id, 0, forever);
      redis.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function ended({ outputs, steps, finishedAt }: AttemptOutcome, createdAt: number): TaskState {
  const attempt = { phase: "success" as const, queuedAt: createdAt, finishedAt, ranStep: true, ...(steps && { steps }) };
  return { stage: "ended", status: "success", finishedAt, attempts: [attempt], ...(outputs && { outputs }) };
}

/** The stored text of a log; "" if there is none. */
export async function readLogText(store: Store, place: LogPlace): Promise<string> {
  const object = await openLog(store, layout.log(place));
  const parts: Uint8Array[] = [];
  for await (const chunk of object?.chunks({ from: 0 }) ?? []) {
    parts.push(chunk.type === "bytes" ? chunk.bytes : Buffer.from(`<lost: ${chunk.why}>`));
  }
  return Buffer.concat(parts).toString();
}
