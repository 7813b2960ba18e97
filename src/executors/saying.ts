import type { StepLog } from "./step-log.ts";

/** Writes lines that come without anybody waiting for them, in their order; `onLine` hears each at once. */
export function createSaying(
  log: Pick<StepLog, "line">,
  onLine: (line: string) => void,
): { readonly say: (line: string) => void; readonly said: () => Promise<void> } {
  let last = Promise.resolve();
  return {
    say: (line) => {
      onLine(line);
      last = last.then(() => log.line(line));
      last.catch(() => {});
    },
    said: () => last,
  };
}
