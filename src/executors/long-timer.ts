/** Node's timers fire at once beyond 2^31 ms (25 days). */
const longestMs = 24 * 3_600_000;

/** Calls `fire` after `ms`, however long that is; the answer cancels it. Never keeps the process alive. */
export function startTimer(ms: number, fire: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (left: number) => {
    const part = Math.min(left, longestMs);
    timer = setTimeout(() => (left > part ? arm(left - part) : fire()), part);
    timer.unref();
  };
  arm(Math.max(0, ms));
  return () => clearTimeout(timer);
}
