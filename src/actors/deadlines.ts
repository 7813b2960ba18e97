/** The next deadlines of a shard's actors, earliest first. Times in ms by Redis's clock. */
export interface Deadlines {
  /** Undefined removes the actor's deadline. Returns false if nothing changed. */
  readonly set: (actor: string, at: number | undefined) => boolean;
  readonly get: (actor: string) => number | undefined;
  /** When the earliest is due; undefined if there is none. */
  readonly earliest: () => number | undefined;
  /** Up to `limit` actors whose deadline is not after `now`. They keep their deadlines until those are set anew. */
  readonly due: (now: number, limit: number) => readonly string[];
  readonly actors: () => Iterable<string>;
}

interface Entry {
  readonly actor: string;
  readonly at: number;
}

/** So many entries that no longer count are kept in any case: tidying up for a few would cost more than they take. */
const spareEntries = 1_000;

/** A binary heap with lazy removal: entries that no longer match `current` are skipped when they surface, or left out when they are the most. */
export function createDeadlines(): Deadlines {
  const current = new Map<string, number>();
  const heap: Entry[] = [];

  const at = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number) => {
    const [first, second] = [heap[a], heap[b]];
    if (first && second) {
      heap[a] = second;
      heap[b] = first;
    }
  };
  const push = (entry: Entry) => {
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (at(parent) <= at(index)) break;
      swap(parent, index);
      index = parent;
    }
  };
  const pop = (): Entry | undefined => {
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return top;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const smaller = at(left + 1) < at(left) ? left + 1 : left;
      if (at(smaller) >= at(index)) return top;
      swap(smaller, index);
      index = smaller;
    }
  };
  const isCurrent = (entry: Entry) => current.get(entry.actor) === entry.at;
  /** What no longer counts may surface only in days. A sorted list is a heap. */
  const tidy = () => {
    if (heap.length <= 2 * current.size + spareEntries) return;
    heap.length = 0;
    for (const [actor, time] of current) heap.push({ actor, at: time });
    heap.sort((a, b) => a.at - b.at);
  };
  const dropStale = () => {
    let top = heap[0];
    while (top && !isCurrent(top)) {
      pop();
      top = heap[0];
    }
    return top;
  };

  return {
    set: (actor, time) => {
      if (current.get(actor) === time) return false;
      if (time === undefined) current.delete(actor);
      else {
        current.set(actor, time);
        push({ actor, at: time });
      }
      tidy();
      return true;
    },
    get: (actor) => current.get(actor),
    earliest: () => dropStale()?.at,
    due: (now, limit) => {
      const found: Entry[] = [];
      const seen = new Set<string>();
      for (let top = dropStale(); top && top.at <= now && found.length < limit; top = dropStale()) {
        pop();
        if (!seen.has(top.actor)) found.push(top);
        seen.add(top.actor);
      }
      for (const entry of found) push(entry);
      return found.map(({ actor }) => actor);
    },
    actors: () => current.keys(),
  };
}
