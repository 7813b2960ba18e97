import type { EventWindow } from "./event-window.ts";
import type { RunEventReader } from "./run-events.ts";
import type { Frame } from "./sse.ts";

/** Of a big archived run every page passes over all events before it: fewer pages cost less, larger ones hold more in memory. */
const pageSize = 5_000;
/** How often a run is looked at without having been told of an event: while the feed is away, streams are late, not stuck. */
const lookMs = 5_000;

export interface FollowRunDeps {
  readonly reader: RunEventReader;
  readonly window: Pick<EventWindow, "changed">;
}

/**
 * A run's events after `seq` as they happen, and `end` after the last one. The same for live and archived runs, and across the hand-over:
 * each look asks Redis first and ost second, from where the last one stopped.
 */
export async function* followRun(
  { reader, window }: FollowRunDeps,
  runId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  let seq = after;
  while (!signal.aborted) {
    const look = new AbortController();
    // Asked for before reading, so that what happens in between wakes us.
    const news = window.changed(AbortSignal.any([signal, look.signal]), runId);
    const timer = setTimeout(() => look.abort(), lookMs);
    try {
      const page = await reader.read(runId, seq, pageSize);
      for (const event of page?.events ?? []) {
        yield { event: event.type, id: String(event.seq), data: event };
        seq = event.seq;
      }
      if (!page || page.ended) {
        yield { event: "end", data: {} };
        return;
      }
      if (page.events.length === 0) await news;
    } finally {
      clearTimeout(timer);
      look.abort();
    }
  }
}
