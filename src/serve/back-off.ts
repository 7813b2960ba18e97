/** The first wait is short, since most deaths are single ones; the longest still notices a mended cause within half a minute. */
const baseMs = 200;
const maxMs = 30_000;
/** What ran this long has recovered: its next death counts as a first one. */
const steadyMs = 60_000;

/** How long to wait before starting something again that has ended; counts failures in a row. */
export interface BackOff {
  /** `ranMs` is how long it had run. */
  readonly next: (ranMs: number) => number;
}

export function createBackOff(): BackOff {
  let failures = 0;
  return {
    next: (ranMs) => {
      failures = ranMs >= steadyMs ? 1 : failures + 1;
      return Math.min(baseMs * 2 ** (failures - 1), maxMs);
    },
  };
}
