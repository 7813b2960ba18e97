import { Redis, type RedisOptions } from "ioredis";

export type RedisConnection = Redis;

/** Where a Redis is: `redis://host:port/db`, `rediss://…`, or `unix:///path/to.sock?password=…`. */
export type RedisUrl = string;

/**
 * What a connection is used for. One that gets no answer for 15 s is replaced, whatever it waits for.
 * - `commands`: short commands; they fail after 10 s without an answer instead of waiting for ever.
 * - `commit`: as `commands`, and nothing is ever sent again or queued while offline, because a repeated commit must be decided by its sender.
 * - `blocking`: blocking reads; a connection of their own each.
 * - `queue`: handed to BullMQ, which needs unlimited retries and blocks as it likes.
 */
export type ConnectionRole = "commands" | "commit" | "blocking" | "queue";

const commandTimeoutMs = 10_000;
/**
 * A proxy or a frozen server may keep a dead connection open for ever, so one that owes an answer for so long is replaced.
 * Longer than any command may take: BullMQ blocks for up to 10 s, we for 5.
 */
const silenceTimeoutMs = 15_000;
const maxReconnectDelayMs = 2_000;

/** Without the driver's own mapping of replies, which would change the type of every answer. */
type Options = Omit<RedisOptions, "replyMapping">;

function optionsOf(role: ConnectionRole): Options {
  const common: Options = {
    lazyConnect: true,
    // RESP2: with RESP3 `call("XREAD", …)` answers another shape than on older servers.
    protocol: 2,
    enableReadyCheck: true,
    connectTimeout: 5_000,
    socketTimeout: silenceTimeoutMs,
    // A jittered delay keeps a fleet from reconnecting in step.
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), maxReconnectDelayMs) * (0.75 + Math.random() / 2),
  };
  switch (role) {
    case "commands":
      return { ...common, commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 3 };
    case "commit":
      return {
        ...common,
        commandTimeout: commandTimeoutMs,
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
      };
    case "blocking":
      return { ...common, maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false };
    case "queue":
      return { ...common, maxRetriesPerRequest: null };
  }
}

function locate(url: RedisUrl): { readonly path: string; readonly password: string | undefined } | undefined {
  if (!url.startsWith("unix:")) return undefined;
  const parsed = new URL(url);
  return { path: decodeURIComponent(parsed.pathname), password: parsed.searchParams.get("password") ?? undefined };
}

/** A connection that is not yet open: `await connect()` on it, or let its first command do so. Errors go to `onError`, never unheard. */
export function createRedis(url: RedisUrl, role: ConnectionRole, onError: (error: Error) => void = () => {}): RedisConnection {
  const socket = locate(url);
  const options = optionsOf(role);
  const redis = socket
    ? new Redis({ ...options, path: socket.path, ...(socket.password === undefined ? {} : { password: socket.password }) })
    : new Redis(url, options);
  redis.on("error", onError);
  return redis;
}
