/**
 * A list that stays sorted: chunks of a few hundred items, so that inserting into 100,000 costs about a microsecond.
 * Plain data with functions beside it; items that compare as 0 are the same item.
 */
export interface SortedList<Item> {
  readonly chunks: Item[][];
}

export type Compare<Item> = (a: Item, b: Item) => number;

/** Greater ones make moving items dear, smaller ones make finding a chunk dear. */
const chunkSize = 512;

/** Adds `item`, or replaces the one that compares as 0. */
export function insertSorted<Item>(list: SortedList<Item>, compare: Compare<Item>, item: Item): void {
  const { chunks } = list;
  const at = chunkFor(chunks, compare, item);
  const chunk = chunks[at];
  if (!chunk) {
    chunks.push([item]);
    return;
  }
  const index = lowerBound(chunk, compare, item);
  const found = chunk[index];
  if (found !== undefined && compare(found, item) === 0) {
    chunk[index] = item;
    return;
  }
  chunk.splice(index, 0, item);
  if (chunk.length > chunkSize) chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1));
}

/** Removes the item that compares as 0; false if there is none. */
export function removeSorted<Item>(list: SortedList<Item>, compare: Compare<Item>, item: Item): boolean {
  const { chunks } = list;
  const at = chunkFor(chunks, compare, item);
  const chunk = chunks[at];
  if (!chunk) return false;
  const index = lowerBound(chunk, compare, item);
  const found = chunk[index];
  if (found === undefined || compare(found, item) !== 0) return false;
  chunk.splice(index, 1);
  if (chunk.length === 0) chunks.splice(at, 1);
  return true;
}

export function firstOf<Item>(list: SortedList<Item>): Item | undefined {
  return list.chunks[0]?.[0];
}

export function isEmpty(list: SortedList<unknown>): boolean {
  return list.chunks.length === 0;
}

/** In order. The list must not change meanwhile. */
export function* inOrder<Item>(list: SortedList<Item>): Generator<Item, undefined> {
  for (const chunk of list.chunks) yield* chunk;
  return undefined;
}

/** Index of the last chunk whose first item is not after `item`, or 0. */
function chunkFor<Item>(chunks: readonly Item[][], compare: Compare<Item>, item: Item): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const first = chunks[middle]?.[0];
    if (first !== undefined && compare(first, item) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the first item that is not before `item`. */
function lowerBound<Item>(chunk: readonly Item[], compare: Compare<Item>, item: Item): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = chunk[middle];
    if (found !== undefined && compare(found, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
