/** Redis's clock as this process knows it. */
export interface RedisClock {
  /** Takes note of a time (ms since the epoch) that Redis has just told. */
  readonly observe: (redisMs: number) => void;
  /** Milliseconds since the epoch by Redis's clock: never runs backwards, and goes on by this process's own clock between answers. */
  readonly now: () => number;
}

/** Redis's clock may be set back, or a replica with a slower one take over; for so long (ms) time stands still. Longer would hold up deadlines. */
const standstillMs = 10_000;

/** `monotonicMs` is this process's own clock; it only ever measures spans, unless Redis's has stood behind for too long. */
export function createRedisClock(initialMs: number, monotonicMs: () => number): RedisClock {
  let base = initialMs;
  let baseAt = monotonicMs();
  let last = initialMs;
  let movedAt = baseAt;
  /** By how much this clock goes ahead of Redis's until that has caught up. */
  let aheadMs = 0;
  const now = () => {
    const time = Math.floor(base + aheadMs + monotonicMs() - baseAt);
    if (time > last) {
      last = time;
      movedAt = monotonicMs();
    }
    return last;
  };
  return {
    now,
    observe: (redisMs) => {
      now();
      base = redisMs;
      baseAt = monotonicMs();
      const standsStill = baseAt - movedAt > standstillMs;
      aheadMs = aheadMs > 0 || standsStill ? Math.max(0, last - redisMs) : 0;
      now();
    },
  };
}
