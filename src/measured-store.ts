import type { Metrics } from "./metrics.ts";
import type { Store } from "./ost/store.ts";

/** A store whose requests are counted and timed; of streams, only until their first byte can be read. */
export function measureStore(store: Store, { ost }: Pick<Metrics, "ost">): Store {
  const timed = async <T>(operation: string, request: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    let failed = true;
    try {
      const result = await request();
      failed = false;
      return result;
    } finally {
      ost.request({ operation, failed, seconds: (performance.now() - startedAt) / 1000 });
    }
  };
  return {
    put: (key, body, options) => timed("put", () => store.put(key, body, options)),
    get: (key, range) => timed("get", () => store.get(key, range)),
    stream: (key, range) => timed("stream", () => store.stream(key, range)),
    stat: (key) => timed("stat", () => store.stat(key)),
    list: (query) => timed("list", () => store.list(query)),
    delete: (keys) => timed("delete", () => store.delete(keys)),
  };
}
