import { checkKey, resolveRange } from "./key.ts";
import type { ByteRange, ListPage, ListQuery, Store } from "./store.ts";

interface Held {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
}

/** The twin of the real stores for simulations: the same contract, nothing durable. */
export function createMemoryStore(now: () => number = Date.now): Store {
  const objects = new Map<string, Held>();

  const slice = (key: string, range: ByteRange | undefined): Uint8Array | undefined => {
    const held = objects.get(key);
    if (!held) return undefined;
    const { start, end } = resolveRange(held.bytes.length, range);
    return held.bytes.slice(start, end);
  };

  return {
    put: async (key, body, { onlyIfAbsent = false, signal } = {}) => {
      checkKey(key);
      signal?.throwIfAborted();
      if (onlyIfAbsent && objects.has(key)) return false;
      const bytes = body instanceof Uint8Array ? body.slice() : await gather(body, signal);
      if (onlyIfAbsent && objects.has(key)) return false;
      objects.set(key, { bytes, modifiedAt: now() });
      return true;
    },
    get: async (key, range) => {
      checkKey(key);
      return slice(key, range);
    },
    stream: async (key, range) => {
      checkKey(key);
      const bytes = slice(key, range);
      return bytes && once(bytes);
    },
    stat: async (key) => {
      checkKey(key);
      const held = objects.get(key);
      return held && { sizeBytes: held.bytes.length, modifiedAt: held.modifiedAt };
    },
    list: async (query) => listKeys(objects, query),
    delete: async (keys) => {
      for (const key of keys) {
        checkKey(key);
        objects.delete(key);
      }
    },
  };
}

async function gather(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of body) {
    signal?.throwIfAborted();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

function listKeys(objects: ReadonlyMap<string, Held>, { prefix, startAfter = "", delimiter, limit = 1_000 }: ListQuery): ListPage {
  const found: { key: string; sizeBytes: number; modifiedAt: number }[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (const key of [...objects.keys()].sort()) {
    if (!key.startsWith(prefix)) continue;
    const slash = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    const name = slash === -1 ? key : key.slice(0, slash + 1);
    if (name <= startAfter || name === last) continue;
    if (found.length + prefixes.length >= limit) return { objects: found, prefixes, next: last };
    last = name;
    const held = objects.get(key);
    if (slash !== -1) prefixes.push(name);
    else if (held) found.push({ key, sizeBytes: held.bytes.length, modifiedAt: held.modifiedAt });
  }
  return { objects: found, prefixes, next: undefined };
}
