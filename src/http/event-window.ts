import type { EventEntry, FeedBatch, StreamPositions } from "../read-model/feed.ts";
import { compareStreamIds, type StreamId } from "../read-model/stream-id.ts";

/** The newest events of the installation, shared by all streams of this process, so that a hundred clients cost Redis as much as one. */
export interface EventWindow {
  readonly begin: (history: string, position: StreamPositions) => void;
  readonly take: (batch: FeedBatch) => void;
  /** The newest entry that this process has seen, and taken into its read model; undefined until the feed has begun. */
  readonly newest: () => { readonly history: string; readonly entry: StreamId } | undefined;
  /** Entries after `entry` in order, or undefined if the window does not reach back so far. */
  readonly after: (entry: StreamId) => readonly EventEntry[] | undefined;
  /** Resolves with the next change of any kind; of a run, with its next event. Resolves, never rejects, when `signal` is aborted. */
  readonly changed: (signal: AbortSignal, runId?: string) => Promise<void>;
}

/** About 10 MB of events: some seconds of a busy installation. */
const maxEvents = 20_000;
const anyRun = "";

export function createEventWindow(): EventWindow {
  let history: string | undefined;
  let entries: EventEntry[] = [];
  let size = 0;
  /** Entries up to this one are not held. */
  let floor: StreamId = "0-0";
  let newest: StreamId = "0-0";
  const waiting = new Map<string, Set<() => void>>();

  const wake = (runId: string) => {
    const waiters = waiting.get(runId);
    waiting.delete(runId);
    for (const resolve of waiters ?? []) resolve();
  };

  const shrink = () => {
    let drop = 0;
    for (; size > maxEvents && drop < entries.length; drop++) {
      size -= entries[drop]?.events.length ?? 0;
      floor = entries[drop]?.id ?? floor;
    }
    entries = entries.slice(drop);
  };

  return {
    begin: (nextHistory, { events }) => {
      history = nextHistory;
      entries = [];
      size = 0;
      floor = events;
      newest = events;
      for (const runId of [...waiting.keys()]) wake(runId);
    },
    take: (batch) => {
      for (const entry of batch.entries) {
        entries.push(entry);
        size += entry.events.length;
      }
      newest = batch.position.events;
      shrink();
      const runs = new Set(batch.entries.flatMap(({ events }) => events.map((event) => event.runId)));
      for (const runId of runs) wake(runId);
      wake(anyRun);
    },
    newest: () => (history === undefined ? undefined : { history, entry: newest }),
    after: (entry) => {
      if (compareStreamIds(entry, floor) < 0) return undefined;
      const from = entries.findIndex(({ id }) => compareStreamIds(id, entry) > 0);
      return from === -1 ? [] : entries.slice(from);
    },
    changed: (signal, runId = anyRun) => {
      if (signal.aborted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiters = waiting.get(runId) ?? new Set();
      waiting.set(runId, waiters.add(resolve));
      const leave = () => {
        waiters.delete(resolve);
        if (waiters.size === 0 && waiting.get(runId) === waiters) waiting.delete(runId);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      return promise.finally(() => signal.removeEventListener("abort", leave));
    },
  };
}
