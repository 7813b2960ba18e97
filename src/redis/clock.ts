/** Redis's clock as this process knows it. */
export interface RedisClock {
  /** Takes note of a time (ms since the epoch) that Redis has just told. */
  readonly observe: (redisMs: number) => void;
  /** Milliseconds since the epoch by Redis's clock: never runs backwards, and goes on by this process's own clock between answers. */
  readonly now: () => number;
}

/** `monotonicMs` is this process's own clock; it only ever measures spans. */
export function createRedisClock(initialMs: number, monotonicMs: () => number): RedisClock {
  let base = initialMs;
  let baseAt = monotonicMs();
  let last = initialMs;
  const now = () => {
    last = Math.max(last, Math.floor(base + monotonicMs() - baseAt));
    return last;
  };
  return {
    now,
    observe: (redisMs) => {
      base = redisMs;
      baseAt = monotonicMs();
      last = Math.max(last, redisMs);
    },
  };
}
