import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { startScheduler } from "../../src/actors/scheduler.ts";
import { type Config, parseConfig } from "../../src/config.ts";
import { startExecutor } from "../../src/executors/executor.ts";
import type { Api } from "../../src/http/app.ts";
import { composeApi } from "../../src/http/compose.ts";
import { startApi } from "../../src/http/server.ts";
import { RunList } from "../../src/http/shapes.ts";
import { RunView } from "../../src/runs/view.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

/** A whole api role on a Redis and a folder of its own. */
export interface TestApi {
  readonly redis: TestRedis;
  readonly config: Config;
  /** Without a socket, for `app.request()`. */
  readonly app: Api;
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  readonly post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;
  /** Another api process on the same Redis and storage, listening on a socket. */
  readonly listen: () => Promise<{ readonly url: string; readonly close: () => Promise<void> }>;
  /** Hosts the actors, so that commands are answered and runs go on. */
  readonly schedule: () => Promise<void>;
  /** Runs tasks as processes of this machine. */
  readonly execute: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const silent: Logger = pino({ level: process.env["TEST_LOG"] ?? "silent" });

/** `environment`: further settings, such as OSTLER_ADMIN_TOKEN. `flags`: of redis-server. */
export async function startTestApi(environment: Record<string, string> = {}, flags: readonly string[] = []): Promise<TestApi> {
  const redis = await startRedis(flags);
  const folder = await mkdtemp(join(tmpdir(), "ostler-api-"));
  const closers: (() => Promise<void> | void)[] = [() => rm(folder, { recursive: true, force: true }), redis.stop];
  const env = {
    OSTLER_REDIS_URL: redis.url,
    OSTLER_DATA_DIR: folder,
    OSTLER_OST_URL: `file://${folder}/ost`,
    OSTLER_DURABILITY: "everysec",
    OSTLER_SHARDS: "2",
    OSTLER_PORT: "0",
  };
  const configure = (more: Record<string, string> = {}) => parseConfig({ env: { ...env, ...environment, ...more } });
  const config = configure();
  const closing = new AbortController();
  const onClose = (close: () => Promise<void> | void) => {
    closers.push(close);
  };
  const { app } = await composeApi({ config, log: silent, onClose }, closing.signal);
  closers.push(() => closing.abort());
  const token: Record<string, string> = config.adminToken === undefined ? {} : { authorization: `Bearer ${config.adminToken}` };
  const request = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(token)) headers.set(name, value);
    return app.request(path, { ...init, headers });
  };

  return {
    redis,
    config,
    app,
    request,
    post: (path, body, headers = {}) => {
      const document = body === undefined ? {} : { body: JSON.stringify(body) };
      return request(path, { method: "POST", ...document, headers: { "content-type": "application/json", ...headers } });
    },
    listen: async () => {
      const role = await startApi({ config: configure({ OSTLER_DATA_DIR: join(folder, `api-${closers.length}`) }), log: silent });
      closers.push(role.close);
      return { url: role.url ?? "", close: role.close };
    },
    schedule: async () => {
      const scheduler = startScheduler({ config, log: silent });
      closers.push(scheduler.close);
      await scheduler.ready;
      await until("the scheduler owns all shards", async () => (await request("/readyz")).status === 200);
    },
    execute: async () => {
      const executor = startExecutor({ config, log: silent });
      closers.push(executor.close);
      await executor.ready;
    },
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

/** A definition that can work. */
export function definition(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: "build",
    group: "/project/web/branch/main",
    tasks: { test: { image: "node:24", steps: [{ run: "npm test" }] } },
    ...fields,
  };
}

/** The run in an answer, checked against its shape. */
export async function runOf(response: Response): Promise<RunView> {
  const body: unknown = await response.json();
  const parsed = RunView.safeParse(body);
  if (!parsed.success) throw new Error(`${response.status}: not a run: ${JSON.stringify(body)}`);
  return parsed.data;
}

/** The ids of the runs in a list, in order. */
export async function idsIn(response: Response): Promise<readonly string[]> {
  const { runs } = RunList.parse(await response.json());
  return runs.map(({ id }) => id);
}
