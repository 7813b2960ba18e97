import type { RunView } from "../runs/view.ts";
import { type FollowRun, followRun } from "./watch/follow-run.ts";

/** One watched run for many who wait for something in it. */
export interface RunFeed {
  /** What `find` finds in the run, as soon as it finds something; undefined if the run ends without. */
  readonly until: <Found>(find: (run: RunView) => Found | undefined) => Promise<Found | undefined>;
  /** Stops watching. */
  readonly close: () => void;
}

/** Watches a run until it ends or is closed; a fault of the watching rejects everybody who waits. */
export function openRunFeed({ signal, watcher, ...input }: FollowRun): RunFeed {
  const closed = new AbortController();
  const listeners = new Set<() => void>();
  let latest: RunView | undefined;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const watching = followRun({
    ...input,
    signal: AbortSignal.any([signal, closed.signal]),
    watcher: {
      ...watcher,
      onChange: (run, events) => {
        latest = run;
        watcher.onChange(run, events);
        tell();
      },
    },
  });
  // Everybody who waits gets its failure; where nobody waits, nobody needs it.
  watching.catch(() => undefined);

  return {
    until: async (find) => {
      const found = Promise.withResolvers<ReturnType<typeof find>>();
      const look = () => {
        const result = latest && find(latest);
        if (result !== undefined) found.resolve(result);
      };
      listeners.add(look);
      look();
      try {
        return await Promise.race([found.promise, watching.then((run) => find(run))]);
      } finally {
        listeners.delete(look);
      }
    },
    close: () => closed.abort(),
  };
}
