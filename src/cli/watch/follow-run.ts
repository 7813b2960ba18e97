import { ApiError } from "../../client/api-error.ts";
import { pause } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { RunEvent, RunView } from "../../runs/view.ts";

/** Told of everything that a watcher may show. */
export interface Watcher {
  /** The run as it is now, and the events since the last call (often none); the run is at least as new as they are. */
  readonly onChange: (run: RunView, events: readonly RunEvent[]) => void;
  readonly onLost: (error: ApiError) => void;
  readonly onFound: () => void;
}

export interface FollowRun {
  readonly runs: Pick<Client["runs"], "get" | "events">;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly watcher: Watcher;
  /** How often (ms) to look for what is no event: steps, waiting reasons. */
  readonly lookEveryMs?: number;
}

/** A big run takes long to fetch: then it is looked at less often, so that looking takes at most a fifth of the time. */
const restFactor = 4;
/** Events come in bursts: one look answers all of them. Shorter loads the server, longer shows changes late. */
const settleMs = 100;

/**
 * Follows a run to its end and gives back how it ended. The event stream says that something changed, a look says what.
 * A look that fails for a moment is left to the next one; how long a lost server is waited for is the stream's decision.
 */
export async function followRun({ runs, id, signal, watcher, lookEveryMs = 2_000 }: FollowRun): Promise<RunView> {
  const hangUp = new AbortController();
  const both = AbortSignal.any([signal, hangUp.signal]);
  const untold: RunEvent[] = [];
  let bell = Promise.withResolvers<void>();
  let isOver = false;

  async function read(): Promise<void> {
    for await (const event of runs.events(id, { signal: both, onLost: watcher.onLost, onFound: watcher.onFound })) {
      untold.push(event);
      bell.resolve();
    }
  }
  const reading = read().finally(() => {
    isOver = true;
    bell.resolve();
  });
  // It is awaited once the loop sees that it is over; until then nobody else handles its failure.
  reading.catch(() => undefined);

  try {
    for (;;) {
      // Read before the look: the last look must come after the last event.
      const isLast = isOver;
      if (isLast) await reading;
      bell = Promise.withResolvers();
      const startedAt = performance.now();
      const run = isLast ? await runs.get(id, both) : await look(runs, id, both);
      if (run) watcher.onChange(run, untold.splice(0));
      if (run && isLast) return run;
      if (!isOver) await pause(Math.max(settleMs, restFactor * (performance.now() - startedAt)), both);
      if (!isOver && untold.length === 0) await Promise.race([bell.promise, pause(lookEveryMs, both)]);
    }
  } finally {
    hangUp.abort();
  }
}

async function look(runs: FollowRun["runs"], id: string, signal: AbortSignal): Promise<RunView | undefined> {
  try {
    return await runs.get(id, signal);
  } catch (error) {
    if (error instanceof ApiError && error.isTransient) return undefined;
    throw error;
  }
}
