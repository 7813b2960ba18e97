/** Lets a number of works run at once; the others wait their turn, in the order in which they came. */
export interface Gate {
  /** Rejects if `signal` is aborted while it waits. */
  readonly pass: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

export function createGate(width: number): Gate {
  const waiting = new Set<() => void>();
  let free = width;

  const enter = async (signal: AbortSignal) => {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        waiting.delete(go);
        reject(signal.reason);
      };
      const go = () => {
        waiting.delete(go);
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      waiting.add(go);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  };

  /** The place goes straight to who waits longest. */
  const leave = () => {
    const [next] = waiting;
    if (next) next();
    else free += 1;
  };

  return {
    pass: async (work, signal) => {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
