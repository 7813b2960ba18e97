import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRedis } from "../../src/redis/connection.ts";
import { until } from "./until.ts";

/** A private Redis of a test on a unix socket in a folder of its own. */
export interface TestRedis {
  readonly url: string;
  readonly folder: string;
  readonly pid: () => number;
  /** Sends a signal to the server. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Starts the server again on the same folder, after it was killed. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

function exited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function launch(folder: string, flags: readonly string[]): Promise<ChildProcess> {
  const socket = join(folder, "redis.sock");
  const base = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--maxmemory-policy", "noeviction"];
  const child = spawn("redis-server", [...base, ...flags], { stdio: "ignore" });
  const probe = createRedis(`unix://${socket}`, "commands");
  try {
    await until("redis-server answers", async () => {
      if (exited(child)) throw new Error(`redis-server exited with ${child.exitCode}`);
      return (await probe.ping().catch(() => undefined)) === "PONG";
    });
  } finally {
    probe.disconnect();
  }
  return child;
}

/** Starts a redis-server with `flags` added, and resolves once it answers. */
export async function startRedis(flags: readonly string[] = []): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "ostler-redis-"));
  let child = await launch(folder, flags);
  return {
    url: `unix://${join(folder, "redis.sock")}`,
    folder,
    pid: () => child.pid ?? -1,
    kill: (signal) => {
      child.kill(signal);
    },
    restart: async () => {
      await until("the old server is gone", () => exited(child));
      child = await launch(folder, flags);
    },
    stop: async () => {
      child.kill("SIGKILL");
      await until("redis-server is gone", () => exited(child));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
