/** Waits that double from `baseMs` up to `maxMs`. Shorter hammers a server that is starting, longer keeps people waiting. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How long to wait before try `failures + 1`; `chance` in [0, 1) takes away up to half, so that clients do not come back in step. */
export function backoffMs({ baseMs, maxMs }: Backoff, failures: number, chance: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full * (1 - chance / 2);
}

/** Resolves after `ms`; rejects with the signal's reason once that is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
