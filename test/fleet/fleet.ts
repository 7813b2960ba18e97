import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { startScheduler } from "../../src/actors/scheduler.ts";
import { parseConfig } from "../../src/config.ts";
import type { PodOwner } from "../../src/executors/driver.ts";
import { createProcessDriver } from "../../src/executors/process/process-driver.ts";
import { startApi } from "../../src/http/server.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys, type Keys } from "../../src/redis/keys.ts";
import type { RunView } from "../../src/runs/view.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { platformFiles } from "./platform.ts";
import { layRedisLine, type RedisLine } from "./redis-line.ts";

/** An installation whose executors are processes of their own: scheduler and API live in the test's process. */
export interface Fleet {
  readonly redis: TestRedis;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly url: string;
  readonly folder: string;
  /** Starts an executor whose pods are in the folder of `group`, on a line of its own to Redis; it need not be ready. */
  readonly launch: (id: string, options?: Launch) => Promise<Member>;
  /** The same, once it is ready. */
  readonly join: (id: string, options?: Launch) => Promise<Member>;
  readonly call: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly json: <Shape>(path: string) => Promise<Shape>;
  /** Creates a run and gives its id. */
  readonly submit: (tasks: Readonly<Record<string, unknown>>, fields?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly run: (id: string) => Promise<RunView>;
  readonly finished: (id: string) => Promise<RunView>;
  /** The executor's state as the API shows it; undefined if there is no such executor. */
  readonly stateOf: (executor: string) => Promise<string | undefined>;
  /** Ids of the installation's pods in a group's folder. */
  readonly podsIn: (group: string) => Promise<readonly string[]>;
  /** A pod without an assignment in the folder of `group`; its id. */
  readonly plant: (group: string, owner: Partial<PodOwner>) => Promise<string>;
  /** What the held steps have written, by its first word. */
  readonly told: (word: "begin" | "end" | "overlap") => Promise<readonly Told[]>;
  /** Resolves once so many held steps have begun. */
  readonly begun: (count: number) => Promise<void>;
  /** Lets the held steps end. */
  readonly go: () => Promise<void>;
  /** Another one for every registration. */
  readonly incarnationOf: (executor: string) => Promise<string | null>;
  /** Resolves once the executor is in that state; undefined: deleted. */
  readonly reaches: (executor: string, state: string | undefined) => Promise<void>;
  /** Of all groups: lost executors whose pods are not proven gone. */
  readonly leftovers: () => Promise<readonly Leftover[]>;
  readonly close: () => Promise<void>;
}

export interface Told {
  readonly task: string;
  readonly attempt: number;
  /** The step's shell. */
  readonly pid: number;
}

export interface Leftover {
  readonly executorId: string;
  readonly message: string;
  readonly cleaners: readonly string[];
}

export interface Launch {
  readonly group?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly archs?: string;
}

export interface Member {
  readonly pid: number;
  readonly line: RedisLine;
  readonly ready: Promise<void>;
  /** The class of the error with which the role ended. */
  readonly ended: Promise<string | undefined>;
  readonly isGone: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  readonly setArchs: (archs: string) => Promise<void>;
  readonly losePlatform: () => Promise<void>;
  readonly findPlatform: () => Promise<void>;
  /** From now on its platform shows it no pods. */
  readonly showNothing: () => Promise<void>;
  /** From now on its platform has no room for new pods. */
  readonly refuseStarts: () => Promise<void>;
  readonly allowStarts: () => Promise<void>;
}

export const ttlMs = 2_000;
const shards = "2";
const secretKey = "0".repeat(64);
const silent = pino({ level: "silent" });

/** A step that writes into the ledger, also if another process of its task is alive, and waits for `go`. */
export const heldStep = {
  type: "run",
  command: [
    "exec 9>>$LEDGER.lock.$OSTLER_RUN_ID.$OSTLER_TASK",
    'flock -n 9 || echo "overlap $OSTLER_TASK $OSTLER_ATTEMPT $$" >> $LEDGER',
    'echo "begin $OSTLER_TASK $OSTLER_ATTEMPT $$" >> $LEDGER',
    "while [ ! -e $LEDGER.go ]; do sleep 0.05; done",
    'echo "end $OSTLER_TASK $OSTLER_ATTEMPT $$" >> $LEDGER',
  ].join("\n"),
} as const;

export async function startFleet(extra: Readonly<Record<string, string>> = {}, shared: { readonly folder?: string } = {}): Promise<Fleet> {
  const redis = await startRedis(["--appendonly", "yes", "--appendfsync", "everysec"]);
  const own = await mkdtemp(join(tmpdir(), "ostler-fleet-"));
  const pods = shared.folder ?? own;
  const env = {
    PATH: process.env["PATH"] ?? "",
    OSTLER_OST_URL: `file://${own}/ost`,
    OSTLER_SECRET_KEY: secretKey,
    OSTLER_DURABILITY: "everysec",
    OSTLER_SHARDS: shards,
    OSTLER_PORT: "0",
    OSTLER_SHARD_LEASE: "2s",
    OSTLER_HEARTBEAT_INTERVAL: "200ms",
    OSTLER_HEARTBEAT_TTL: `${ttlMs}ms`,
    OSTLER_EXECUTOR_FENCE: "60s",
    OSTLER_LOG_LEVEL: "silent",
    ...extra,
  };
  const configure = (dataDir: string) =>
    parseConfig({ env: { ...env, OSTLER_REDIS_URL: redis.url, OSTLER_DATA_DIR: join(own, dataDir) }, argv: [] });
  const scheduler = startScheduler({ config: configure("scheduler"), log: silent });
  await scheduler.ready;
  const api = await startApi({ config: configure("api"), log: silent });
  await api.ready;
  const url = api.url ?? "";
  const keys = createKeys("{ostler}");
  const connection = createRedis(redis.url, "commands");
  const children: ChildProcess[] = [];
  const lines: RedisLine[] = [];
  const groups = new Set<string>();
  const platforms = new Set<string>();
  let serial = 0;

  const call: Fleet["call"] = (method, path, body) =>
    fetch(`${url}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  // The test knows what it asks for.
  const json = async <Shape>(path: string) => (await (await call("GET", path)).json()) as Shape;
  await until("the installation is ready", async () => (await fetch(`${url}/readyz`)).status === 200);

  const launch: Fleet["launch"] = async (id, { group = "a", env: more = {}, archs } = {}) => {
    serial += 1;
    const socket = join(own, `line-${serial}.sock`);
    groups.add(group);
    const platform = join(own, `platform-${id}`);
    platforms.add(platform);
    await mkdir(platform, { recursive: true });
    if (archs !== undefined) await writeFile(join(platform, platformFiles.archs), archs);
    const line = await layRedisLine(socket, redis.url);
    lines.push(line);
    const child = fork(new URL("./executor-process.ts", import.meta.url), [join(pods, `pods-${group}`), platform], {
      env: {
        ...env,
        TEST_LOG: "info",
        OSTLER_REDIS_URL: line.url,
        OSTLER_DATA_DIR: join(own, `data-${id}`),
        OSTLER_EXECUTOR_ID: id,
        OSTLER_EXECUTOR_TASK_LIMIT: "4",
        ...more,
      },
    });
    children.push(child);
    const exited = once(child, "exit");
    let error: string | undefined;
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    child.on("message", (message: { readonly type: string; readonly error?: string }) => {
      if (message.type === "ready") ready.resolve();
      else error = message.error;
    });
    const ended = exited.then(() => {
      ready.reject(new Error(`the executor ${id} ended: ${error}`));
      return error;
    });
    return {
      pid: child.pid ?? -1,
      line,
      ready: ready.promise,
      ended,
      isGone: () => child.exitCode !== null || child.signalCode !== null,
      signal: (signal) => {
        child.kill(signal);
      },
      kill: async () => {
        child.kill("SIGKILL");
        await exited;
      },
      setArchs: (now) => writeFile(join(platform, platformFiles.archs), now),
      losePlatform: () => writeFile(join(platform, platformFiles.away), ""),
      findPlatform: () => rm(join(platform, platformFiles.away)),
      showNothing: () => writeFile(join(platform, platformFiles.blank), ""),
      refuseStarts: () => writeFile(join(platform, platformFiles.full), ""),
      allowStarts: () => rm(join(platform, platformFiles.full)),
    };
  };

  const run: Fleet["run"] = (id) => json<RunView>(`/runs/${id}`);
  const driverOf = (group: string) => createProcessDriver({ podsDir: join(pods, `pods-${group}`), hostEnvironment: {} });
  const ledger = join(own, "ledger");
  const installation = async () => (await connection.hget(keys.meta, "installation")) ?? "";
  const told: Fleet["told"] = async (word) => {
    const lines = (await readFile(ledger, "utf8").catch(() => "")).split("\n").map((line) => line.split(" "));
    return lines.flatMap(([first, task = "", attempt, pid]) =>
      first === word ? [{ task, attempt: Number(attempt), pid: Number(pid) }] : [],
    );
  };
  const stateOf: Fleet["stateOf"] = async (executor) => (await json<{ readonly state?: string }>(`/executors/${executor}`)).state;

  /** With what a person would look at: the last words of every executor. */
  const explained = (what: string, condition: () => Promise<boolean>) =>
    until(what, condition, 25_000).catch(async (cause: unknown) => {
      const logs = await Promise.all([...platforms].map((platform) => readFile(join(platform, "log"), "utf8").catch(() => "")));
      const lines = logs.flatMap((log) => log.split("\n").slice(-20)).map((line) => line.slice(0, 500));
      throw new Error([what, ...lines].join("\n"), { cause });
    });

  return {
    redis,
    connection,
    keys,
    url,
    folder: pods,
    launch,
    join: async (id, options) => {
      const member = await launch(id, options);
      await member.ready;
      return member;
    },
    call,
    json,
    submit: async (tasks, fields = {}) => {
      const response = await call("POST", "/runs", {
        name: "fleet",
        group: "/fleet/test",
        environment: { LEDGER: ledger },
        tasks,
        ...fields,
      });
      if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
      // A 201 has a run.
      return ((await response.json()) as RunView).id;
    },
    run,
    finished: async (id) => {
      await until(`run ${id} has finished`, async () => (await run(id)).phase === "finished", 30_000).catch(async (cause: unknown) => {
        throw new Error(JSON.stringify(await run(id), undefined, 1), { cause });
      });
      return run(id);
    },
    stateOf,
    incarnationOf: (executor) => connection.hget(keys.executor(executor), "incarnation"),
    podsIn: async (group) => (await driverOf(group).list(await installation(), new AbortController().signal)).map(({ id }) => id),
    plant: async (group, owner) => {
      serial += 1;
      const id = `planted-${serial}`;
      const of = { executor: "nobody", incarnation: "i", group, runId: "r", task: "t", attempt: 1, installation: await installation() };
      const container = { image: "none", environment: {}, privileged: false, tmpfs: [] };
      const times = { startBy: Date.now(), deadlineAt: Date.now() + 600_000, fenceMs: 600_000 };
      const spec = { id, owner: { ...of, ...owner }, arch: undefined, containers: [container], registries: {}, ...times };
      await driverOf(group).start(spec, () => {}, new AbortController().signal);
      return id;
    },
    told,
    begun: (count) => explained(`${count} steps have begun`, async () => (await told("begin")).length >= count),
    go: () => writeFile(`${ledger}.go`, ""),
    reaches: (executor, state) => explained(`${executor} is ${state ?? "deleted"}`, async () => (await stateOf(executor)) === state),
    leftovers: async () => {
      const { executorGroups } = await json<{ readonly executorGroups: readonly { readonly leftovers: readonly Leftover[] }[] }>(
        "/executor-groups",
      );
      return executorGroups.flatMap((group) => group.leftovers);
    },
    close: async () => {
      for (const child of children) {
        child.kill("SIGCONT");
        child.kill("SIGKILL");
      }
      await api.close();
      await scheduler.close();
      const forever = new AbortController().signal;
      for (const driver of [...groups].map(driverOf)) {
        for (const { id } of await driver.list(await installation(), forever)) await driver.remove(id, 0, forever);
      }
      for (const line of lines) await line.close();
      connection.disconnect();
      await redis.stop();
      await rm(own, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
