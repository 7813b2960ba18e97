/** Collects what comes while a batch is under way into the next one: one call at a time, none later than it must be. */
export interface Batcher<Item> {
  /** Resolves once the item's batch was handled; rejects as its handling does. */
  readonly add: (item: Item) => Promise<void>;
}

interface Batch<Item> {
  readonly items: Item[];
  readonly done: PromiseWithResolvers<void>;
}

export function createBatcher<Item>(maxItems: number, handle: (items: readonly Item[]) => Promise<void>): Batcher<Item> {
  const waiting: Batch<Item>[] = [];
  let isWorking = false;

  const newBatch = () => {
    const batch: Batch<Item> = { items: [], done: Promise.withResolvers<void>() };
    // Whoever added an item hears of a failure; a batch by itself is nobody's.
    batch.done.promise.catch(() => {});
    waiting.push(batch);
    return batch;
  };

  const work = async () => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
      await handle(batch.items).then(batch.done.resolve, batch.done.reject);
    }
    isWorking = false;
  };

  return {
    add: (item) => {
      const last = waiting.at(-1);
      const batch = last && last.items.length < maxItems ? last : newBatch();
      batch.items.push(item);
      if (!isWorking) {
        isWorking = true;
        // What else this turn of the event loop brings belongs to the same batch.
        setImmediate(work);
      }
      return batch.done.promise;
    },
  };
}
