import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { randomId } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { type Registration, registerExecutor } from "../redis/scripts/register-executor.ts";
import { findProcess, hostIdentity } from "./processes.ts";

const incarnationLength = 16;
const firstPauseMs = 200;
const maxPauseMs = 5_000;

export interface RegistrationOptions {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly description: Registration["description"];
  readonly ttlMs: number;
  readonly fenceMs: number;
  readonly shards: number;
  readonly log: Logger;
}

export interface Registered {
  readonly incarnation: string;
  /** Redis's time (ms). */
  readonly now: number;
  /** `inherited`: `todo` and pods of the predecessor are this process's now. */
  readonly how: "new" | "inherited" | "lost-before";
}

/** Registers under a new incarnation, trying until it succeeds or `signal` is aborted. Throws if the id belongs to another pool. */
export async function register(options: RegistrationOptions, signal: AbortSignal): Promise<Registered> {
  const { log, description } = options;
  let said = "";
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    signal.throwIfAborted();
    const outcome = await tryRegister(options).catch((error: unknown) => ({ type: "fault" as const, error }));
    switch (outcome.type) {
      case "registered":
        return outcome;
      case "other-pool":
        throw new Error(
          `executor ${description.id} is registered in pool ${outcome.pool}: give this one another OSTLER_EXECUTOR_ID, or delete that one first`,
        );
      case "alive":
        if (said !== outcome.type)
          log.warn({ executorId: description.id }, "another process with this executor's id is alive: waiting for it to go");
        break;
      case "fault":
        log.warn({ err: outcome.error, executorId: description.id }, "could not register yet");
        break;
    }
    said = outcome.type;
    const waitMs = outcome.type === "alive" ? Math.min(pauseMs, Math.max(firstPauseMs, outcome.forMs)) : pauseMs;
    await delay(waitMs, undefined, { signal });
  }
}

async function tryRegister(options: RegistrationOptions) {
  const { redis, keys, description } = options;
  const host = hostIdentity();
  const incarnation = randomId(incarnationLength);
  const deadIncarnation = await findDeadPredecessor(redis, keys, { id: description.id, host });
  const processStart = findProcess(process.pid)?.start ?? "";
  const { ttlMs, fenceMs, shards } = options;
  const registration = { description, incarnation, host, pid: process.pid, processStart, ttlMs, fenceMs, shards, deadIncarnation };
  const reply = await registerExecutor(redis, keys, registration);
  return reply.type === "registered" ? { ...reply, incarnation } : reply;
}

/** The incarnation of a predecessor on this very host whose process is gone: its heartbeat need not be waited for. */
async function findDeadPredecessor(
  redis: RedisConnection,
  keys: Keys,
  { id, host }: { readonly id: string; readonly host: string },
): Promise<string | undefined> {
  const [incarnation, itsHost, pid, start] = await redis.hmget(keys.executor(id), "incarnation", "host", "pid", "processStart");
  if (!incarnation || itsHost !== host || !pid || !start) return undefined;
  return findProcess(Number(pid))?.start === start ? undefined : incarnation;
}
