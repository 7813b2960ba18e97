import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createBackOff } from "./back-off.ts";
import { type PrivateRedis, type PrivateRedisOptions, startPrivateRedis } from "./private-redis.ts";
import { reasonOf } from "./start-error.ts";

/** A private Redis that is started again whenever it ends unasked. */
export interface KeptRedis {
  readonly url: string;
  /** Stops it in good order, and resolves when it is gone. */
  readonly stop: () => Promise<void>;
  /** Asks it to stop, without waiting: it still writes what it has. */
  readonly terminate: () => void;
}

/** Resolves once the server answers for the first time; rejects with StartError if it cannot be started. */
export async function keepPrivateRedis(options: PrivateRedisOptions, signal: AbortSignal): Promise<KeptRedis> {
  const stopping = new AbortController();
  const stopped = once(stopping.signal, "abort");
  let current: PrivateRedis | undefined = await startPrivateRedis(options, signal);
  const { url } = current;

  const keep = async () => {
    const backOff = createBackOff();
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      await Promise.race([current?.ended, stopped]);
      if (stopping.signal.aborted) return;
      const waitMs = backOff.next(performance.now() - startedAt);
      options.log.error({ waitMs }, "the private Redis ended unasked: starting it again");
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (!stopping.signal.aborted) current = await restart(options, url, stopping.signal);
    }
  };
  const kept = keep();

  return {
    url,
    stop: async () => {
      stopping.abort();
      await kept;
      await current?.stop();
    },
    terminate: () => {
      stopping.abort();
      current?.terminate();
    },
  };
}

/** Undefined if it did not work, or came back at another address, which the roles do not know: the caller tries again. */
async function restart(options: PrivateRedisOptions, url: string, signal: AbortSignal): Promise<PrivateRedis | undefined> {
  try {
    const redis = await startPrivateRedis(options, signal);
    if (redis.url === url) return redis;
    options.log.error("the port of the private Redis is taken by another program");
    await redis.stop();
  } catch (error) {
    options.log.error({ reason: reasonOf(error) }, "the private Redis cannot be started again");
  }
  return undefined;
}
