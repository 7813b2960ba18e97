import { setTimeout as delay } from "node:timers/promises";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { TailPlace } from "./log-tail.ts";

/** Resolves once the tail may hold a byte at or after `from`, or its end, or after a second; rejects when aborted. */
export type AwaitTail = (place: TailPlace, from: number, signal: AbortSignal) => Promise<void>;

/** A new follower waits at most this long until the common read includes its log. */
const roundMs = 200;
const longestWaitMs = 1_000;
const afterFaultMs = 500;

interface Waiter {
  readonly key: string;
  readonly id: string;
  readonly wake: () => void;
}

/**
 * Waits for the tails of any number of followers with one blocking read at a time, on a connection of its own: what
 * following costs Redis does not grow with the followers. A fault only makes everybody look sooner.
 */
export function createTailWatch(
  blocking: RedisConnection,
  keys: Keys,
): { readonly awaitTail: AwaitTail; readonly close: () => Promise<void> } {
  const waiters = new Set<Waiter>();
  let running: Promise<void> | undefined;
  let isClosed = false;

  const round = async () => {
    const asked = [...waiters];
    // One id per stream: the lowest; those who are further on look once too often.
    const streams = new Map<string, string>();
    for (const { key, id } of asked) {
      const known = streams.get(key);
      if (known === undefined || Number.parseInt(id, 10) < Number.parseInt(known, 10)) streams.set(key, id);
    }
    const found = await blocking.xreadBuffer("COUNT", 1, "BLOCK", roundMs, "STREAMS", ...streams.keys(), ...streams.values());
    const ready = new Set((found ?? []).map(([key]) => key.toString("utf8")));
    for (const waiter of asked) if (ready.has(waiter.key)) waiter.wake();
  };

  const loop = async () => {
    while (waiters.size > 0 && !isClosed) {
      await round().catch(async () => {
        await delay(afterFaultMs);
        for (const waiter of waiters) waiter.wake();
      });
    }
    running = undefined;
  };

  return {
    awaitTail: async (place, from, signal) => {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      const waiter: Waiter = { key: keys.log(place.assignment, place.step), id: `${from}-0`, wake };
      const timer = setTimeout(wake, longestWaitMs);
      signal.addEventListener("abort", wake, { once: true });
      waiters.add(waiter);
      running ??= loop();
      await promise;
      waiters.delete(waiter);
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      signal.throwIfAborted();
    },
    close: async () => {
      isClosed = true;
      for (const waiter of waiters) waiter.wake();
      await running;
    },
  };
}
