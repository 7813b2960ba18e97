import { setTimeout as delay } from "node:timers/promises";
import { ApiError, isPassing } from "./api-error.ts";

/** Short at first, for a connection that was only cut; long enough later for a server that starts under load. */
const firstPauseMs = 100;
const maxPauseMs = 5_000;

/** The pauses of a loop that tries again: doubling, with chance, so that many do not come back at once. */
export function createBackOff(most = maxPauseMs): { readonly reset: () => void; readonly pause: (signal: AbortSignal) => Promise<void> } {
  let ms = firstPauseMs;
  return {
    reset: () => {
      ms = firstPauseMs;
    },
    pause: async (signal) => {
      const now = ms * (0.5 + Math.random());
      ms = Math.min(ms * 2, most);
      await delay(now, undefined, { signal });
    },
  };
}

/** Repeats a call that can be repeated, while the API server is away or overloaded, for at most `limitMs`. */
export async function insist<T>(call: () => Promise<T>, limitMs: number, signal: AbortSignal): Promise<T> {
  const backOff = createBackOff();
  const giveUpAt = performance.now() + limitMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) || performance.now() >= giveUpAt) throw error;
      if (error instanceof ApiError && error.retryAfterMs !== undefined) await delay(error.retryAfterMs, undefined, { signal });
      else await backOff.pause(signal);
    }
  }
}
