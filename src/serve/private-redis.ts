import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { createRedis } from "../redis/connection.ts";
import { findByArgument, isRunning, signalProcess } from "./process-list.ts";
import { findRedisBinary } from "./redis-binary.ts";
import { type Endpoint, type RedisPolicy, redisConfig, urlOf } from "./redis-config.ts";
import { probeRedis } from "./redis-probe.ts";
import { StartError } from "./start-error.ts";

/** Addresses of sockets end at 104 bytes on macOS and 108 on Linux, a zero byte included. */
const maxSocketPathBytes = 103;
/** A healthy server accepts and answers at once; a busy disk or machine may delay that. */
const silenceTimeoutMs = 10_000;
/** A file of tens of gigabytes takes minutes to load. */
const loadTimeoutMs = 30 * 60_000;
const pollMs = 20;
const stopTimeoutMs = 30_000;

export interface PrivateRedisOptions {
  /** Its own folder, made if absent. The caller must hold the data folder: two servers on one folder would destroy each other's data. */
  readonly folder: string;
  /** Where to look for a server: `PATH`. */
  readonly searchPath: string;
  readonly policy: RedisPolicy;
  readonly log: Logger;
}

/** A Redis or Valkey that only this installation uses. */
export interface PrivateRedis {
  readonly url: string;
  readonly pid: number;
  /** True if the server was running already: left by an ostler that died. */
  readonly adopted: boolean;
  /** Resolves when the server is gone, for whatever reason. */
  readonly ended: Promise<void>;
  /** Lets it write what it has and resolves when it is gone. */
  readonly stop: () => Promise<void>;
  /** Asks it to stop, without waiting. */
  readonly terminate: () => void;
}

const EndpointFile = z.discriminatedUnion("type", [
  z.object({ type: z.literal("socket"), path: z.string() }),
  z.object({ type: z.literal("port"), port: z.number(), password: z.string() }),
]);

/**
 * Takes over the server that runs on the folder, or starts one; resolves once it answers, with everything loaded.
 * A server is known by its configuration file among the arguments of its process: there is no moment at which one runs unseen.
 */
export async function startPrivateRedis(options: PrivateRedisOptions, signal: AbortSignal): Promise<PrivateRedis> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const configPath = join(options.folder, "redis.conf");
  const running = await findByArgument(configPath);
  if (running.length > 1)
    throw new StartError(`several servers run with ${configPath}, which must not be: processes ${running.join(", ")}`);
  const [pid] = running;
  const adopted = pid === undefined ? undefined : await adopt(options, pid, signal);
  return adopted ?? (await launch(options, configPath, signal));
}

/** Where the private server of a folder listens, if one runs there now. */
export async function findPrivateRedis(folder: string): Promise<string | undefined> {
  const running = await findByArgument(join(folder, "redis.conf"));
  const endpoint = running.length === 0 ? undefined : await readEndpoint(folder);
  return endpoint && urlOf(endpoint);
}

async function adopt({ folder, policy, log }: PrivateRedisOptions, pid: number, signal: AbortSignal): Promise<PrivateRedis | undefined> {
  const endpoint = await readEndpoint(folder);
  if (endpoint && (await awaitReady(endpoint, () => isRunning(pid), signal)) === "ready") {
    const redis = createRedis(urlOf(endpoint), "commands");
    const settings = ["appendfsync", policy.fsync, "maxmemory", String(policy.maxMemoryBytes)];
    await redis.call("CONFIG", "SET", ...settings).finally(() => redis.disconnect());
    log.info({ redisPid: pid }, "took over the private Redis of an ostler that died");
    return serverOf(endpoint, pid, true, awaitEnd(pid));
  }
  log.warn({ redisPid: pid }, "the private Redis of an ostler that died does not answer: ending it");
  signalProcess(pid, "SIGKILL");
  await awaitEnd(pid);
  return undefined;
}

async function launch(options: PrivateRedisOptions, configPath: string, signal: AbortSignal): Promise<PrivateRedis> {
  const { folder, searchPath, policy, log } = options;
  const binary = await findRedisBinary(searchPath);
  const endpoint = await chooseEndpoint(folder);
  await writeFile(join(folder, "endpoint.json"), `${JSON.stringify(endpoint)}\n`, { mode: 0o600 });
  await writeFile(configPath, redisConfig(folder, endpoint, policy), { mode: 0o600 });
  // Detached, so that neither Ctrl-C nor the death of ostler ends it: it is stopped last, or taken over by the next ostler.
  const child = spawn(binary, [configPath], { detached: true, stdio: "ignore" });
  const ended = exitOf(child);
  const { pid } = child;
  try {
    const health = await awaitReady(endpoint, () => child.exitCode === null && child.signalCode === null && pid !== undefined, signal);
    if (health === "failed" || pid === undefined) {
      throw new StartError(`${binary} did not start (see ${folder}/redis.log): ${await lastLogLines(folder)}`);
    }
    log.info({ redisPid: pid, binary }, "started a private Redis");
    return serverOf(endpoint, pid, false, ended);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
}

function serverOf(endpoint: Endpoint, pid: number, adopted: boolean, ended: Promise<void>): PrivateRedis {
  const send = (signal: NodeJS.Signals) => signalProcess(pid, signal);
  const stop = async () => {
    send("SIGTERM");
    const timer = setTimeout(() => send("SIGKILL"), stopTimeoutMs);
    await ended.finally(() => clearTimeout(timer));
  };
  return { url: urlOf(endpoint), pid, adopted, ended, stop, terminate: () => send("SIGTERM") };
}

/** Waits as long as the server says that it is loading; one that says nothing, or nothing new, is given up. */
async function awaitReady(endpoint: Endpoint, alive: () => boolean, signal: AbortSignal): Promise<"ready" | "failed"> {
  const startedAt = performance.now();
  let heardAt = startedAt;
  while (alive() && performance.now() < heardAt + silenceTimeoutMs && performance.now() < startedAt + loadTimeoutMs) {
    signal.throwIfAborted();
    const health = await probeRedis(endpoint, silenceTimeoutMs);
    if (health === "ready") return "ready";
    if (health === "loading") heardAt = performance.now();
    await delay(pollMs, undefined, { signal });
  }
  return "failed";
}

/** A port is kept from start to start while it is free, because running roles know it. */
async function chooseEndpoint(folder: string): Promise<Endpoint> {
  const path = join(folder, "redis.sock");
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return { type: "socket", path };
  const before = await readEndpoint(folder);
  if (before?.type === "port" && (await freePort(before.port)) !== undefined) return before;
  const port = await freePort(0);
  if (port === undefined) throw new StartError("no free port on loopback for the private Redis");
  return { type: "port", port, password: randomBytes(24).toString("base64url") };
}

/** The port, or any for 0, if something can listen on it; undefined if not. */
async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  const listening = await new Promise<boolean>((resolve) =>
    server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)),
  );
  const address = server.address();
  if (!listening || address === null || typeof address === "string") return undefined;
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

async function readEndpoint(folder: string): Promise<Endpoint | undefined> {
  try {
    return EndpointFile.parse(JSON.parse(await readFile(join(folder, "endpoint.json"), "utf8")));
  } catch {
    // Cannot be reached without it, which the caller treats like a server that does not answer.
    return undefined;
  }
}

async function exitOf(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
}

async function awaitEnd(pid: number): Promise<void> {
  while (isRunning(pid)) await delay(pollMs, undefined, { ref: false });
}

async function lastLogLines(folder: string): Promise<string> {
  const text = await readFile(join(folder, "redis.log"), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-3).join(" / ") || "it left no log";
}
