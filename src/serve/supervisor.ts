import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { takeDataFolder } from "./data-folder.ts";
import { type KeptRedis, keepPrivateRedis } from "./keep-redis.ts";
import { keepRole, type RoleProcess } from "./role-process.ts";

/** Executors let running steps go on; what they need to close is to write down where those are. */
const roleStopTimeoutMs = 60_000;

/** Schedulers first, so that what others say to them is handled; stopped in reverse order. */
const startOrder = ["scheduler", "api", "executor"] as const satisfies readonly Config["roles"][number][];

export interface SupervisorOptions {
  readonly config: Config;
  /** This program with the arguments it was given; each role gets them with `--roles` added, which wins. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Called with the API's URL once all roles are ready, and whenever the API has become ready again. */
  readonly onReady: (url: string) => void;
}

/** Everything that `ostler serve` started. */
export interface Supervisor {
  /** Stops roles, then Redis, in reverse order of starting, and gives the data folder up. */
  readonly stop: () => Promise<void>;
  /** Ends every role at once, and asks Redis to end, which it does after writing what it has. */
  readonly kill: () => void;
}

/**
 * Takes the data folder, starts the private Redis if no other is configured, then each role in a process of its own, and keeps all running.
 * Resolves when all are ready. Throws StartError, with everything stopped again, if the folder is taken or something cannot start.
 */
export async function supervise({ config, command, env, log, onReady }: SupervisorOptions, signal: AbortSignal): Promise<Supervisor> {
  const folder = takeDataFolder(config.dataDir);
  const opened: (() => Promise<void>)[] = [];
  const roles: RoleProcess[] = [];
  const stop = async () => {
    for (const close of opened.reverse()) await close();
    folder.release();
  };
  let redis: KeptRedis | undefined;
  const kill = () => {
    for (const role of roles) role.kill();
    redis?.terminate();
  };
  signal.addEventListener("abort", kill, { once: true });

  try {
    if (config.redisUrl === undefined) {
      redis = await keepPrivateRedis(redisOptions(config, log), signal);
      opened.push(redis.stop);
    }
    const roleEnv = redis ? { ...env, OSTLER_REDIS_URL: redis.url } : env;
    let apiUrl: string | undefined;
    let allReady = false;
    const tell = () => {
      if (!allReady || apiUrl === undefined) return;
      folder.announce(apiUrl);
      onReady(apiUrl);
    };
    const ready = (url: string | undefined) => {
      if (url === undefined) return;
      apiUrl = url;
      tell();
    };
    for (const name of startOrder.filter((role) => config.roles.includes(role))) {
      const role = keepRole({
        role: name,
        spawn: () => startRole(command, name, roleEnv),
        stopTimeoutMs: roleStopTimeoutMs,
        onReady: ready,
        log,
      });
      roles.push(role);
      opened.push(role.stop);
    }
    await Promise.all(roles.map((role) => role.ready));
    signal.throwIfAborted();
    allReady = true;
    tell();
    return { stop, kill };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function redisOptions(config: Config, log: Logger) {
  return {
    folder: join(config.dataDir, "redis"),
    searchPath: config.hostEnvironment["PATH"] ?? "",
    policy: { fsync: config.durability === "everysec" ? "everysec" : "always", maxMemoryBytes: config.redisMaxMemoryBytes },
    log,
  } as const;
}

/** Detached, so that Ctrl-C in a terminal reaches the supervisor only, which stops in order; the role ends when the channel to us does. */
function startRole([program, ...args]: readonly [string, ...string[]], role: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(program, [...args, "--roles", role], { detached: true, env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
}
