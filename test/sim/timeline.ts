import { firstOf, insertSorted, removeSorted, type SortedList } from "../../src/actors/sorted-list.ts";

/** Simulated time in ms. Nothing in a simulated world happens but what was put on the timeline. */
export interface Timeline {
  readonly now: () => number;
  readonly after: (delayMs: number, happen: () => void) => void;
  /** Lets happen what is next, and everything that follows from it without time passing. False once nothing is left. */
  readonly step: () => Promise<boolean>;
}

interface Happening {
  readonly at: number;
  /** Of two at the same time the one that was planned first happens first. */
  readonly order: number;
  readonly happen: () => void;
}

const compare = (a: Happening, b: Happening) => a.at - b.at || a.order - b.order;

export function createTimeline(): Timeline {
  const planned: SortedList<Happening> = { chunks: [] };
  let time = 0;
  let order = 0;
  return {
    now: () => time,
    after: (delayMs, happen) => {
      order += 1;
      insertSorted(planned, compare, { at: time + Math.max(0, delayMs), order, happen });
    },
    step: async () => {
      const next = firstOf(planned);
      if (!next) return false;
      removeSorted(planned, compare, next);
      time = next.at;
      next.happen();
      // All promises that this settled, and all that those settle, run before the event loop gets to its next phase.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    },
  };
}
