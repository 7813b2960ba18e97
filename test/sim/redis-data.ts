/** What a simulated Redis holds. Plain enough for `structuredClone`, which is how it is rolled back. */
export interface RedisData {
  readonly values: Map<string, RedisValue>;
  /** When (ms) keys expire. */
  readonly expiries: Map<string, number>;
}

export type RedisValue =
  | { readonly type: "string"; text: string }
  | { readonly type: "hash"; readonly fields: Map<string, string> }
  | { readonly type: "list"; readonly items: string[] }
  | { readonly type: "set"; readonly members: Set<string> }
  | { readonly type: "sorted"; readonly scores: Map<string, number> }
  | { readonly type: "stream"; readonly entries: StreamEntry[]; lastMs: number; lastSequence: number };

export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly string[];
}

/** The commands of Redis that ostler's scripts use, on plain data, with the same answers. `now` is in ms. */
export interface RedisCommands {
  readonly get: (key: string) => string | undefined;
  readonly set: (key: string, text: string, ttlMs?: number) => void;
  readonly exists: (key: string) => boolean;
  readonly del: (...keys: readonly string[]) => void;
  readonly expireAt: (key: string, at: number) => void;
  readonly ttl: (key: string) => number;
  readonly hash: (key: string) => ReadonlyMap<string, string>;
  readonly hset: (key: string, ...words: readonly (string | number)[]) => void;
  readonly hdel: (key: string, ...fields: readonly string[]) => void;
  readonly rpush: (key: string, text: string) => void;
  readonly list: (key: string) => readonly string[];
  readonly sadd: (key: string, member: string) => void;
  readonly srem: (key: string, member: string) => void;
  readonly members: (key: string) => ReadonlySet<string>;
  readonly zadd: (key: string, ...words: readonly (string | number)[]) => void;
  readonly zrem: (key: string, ...members: readonly string[]) => void;
  readonly scores: (key: string) => ReadonlyMap<string, number>;
  readonly xadd: (key: string, ...fields: readonly string[]) => string;
  readonly entries: (key: string) => readonly StreamEntry[];
  /** Drops the entries up to and with this one. */
  readonly trimThrough: (key: string, id: string) => void;
}

export function createRedisData(): RedisData {
  return { values: new Map(), expiries: new Map() };
}

const empty = { fields: new Map<string, string>(), members: new Set<string>(), scores: new Map<string, number>() } as const;

export function commandsOn(data: () => RedisData, now: () => number, onAppend: () => void): RedisCommands {
  const find = (key: string): RedisValue | undefined => {
    const expiry = data().expiries.get(key);
    if (expiry !== undefined && expiry <= now()) del(key);
    return data().values.get(key);
  };
  const del = (...keys: readonly string[]) => {
    for (const key of keys) {
      data().values.delete(key);
      data().expiries.delete(key);
    }
  };
  const create = <Value extends RedisValue>(key: string, value: Value): Value => {
    data().values.set(key, value);
    return value;
  };
  const dropIfEmpty = (key: string, size: number) => {
    if (size === 0) del(key);
  };

  const hashAt = (key: string) => {
    const value = find(key) ?? create(key, { type: "hash", fields: new Map<string, string>() });
    if (value.type !== "hash") throw wrongType(key);
    return value.fields;
  };
  const sortedAt = (key: string) => {
    const value = find(key) ?? create(key, { type: "sorted", scores: new Map<string, number>() });
    if (value.type !== "sorted") throw wrongType(key);
    return value.scores;
  };
  const setAt = (key: string) => {
    const value = find(key) ?? create(key, { type: "set", members: new Set<string>() });
    if (value.type !== "set") throw wrongType(key);
    return value.members;
  };
  const listAt = (key: string) => {
    const value = find(key) ?? create(key, { type: "list", items: [] });
    if (value.type !== "list") throw wrongType(key);
    return value.items;
  };
  const streamAt = (key: string) => {
    const value = find(key) ?? create(key, { type: "stream", entries: [], lastMs: 0, lastSequence: 0 });
    if (value.type !== "stream") throw wrongType(key);
    return value;
  };

  return {
    get: (key) => {
      const value = find(key);
      return value?.type === "string" ? value.text : undefined;
    },
    set: (key, text, ttlMs) => {
      del(key);
      create(key, { type: "string", text });
      if (ttlMs !== undefined) data().expiries.set(key, now() + ttlMs);
    },
    exists: (key) => find(key) !== undefined,
    del,
    expireAt: (key, at) => {
      if (find(key)) data().expiries.set(key, at);
    },
    ttl: (key) => (find(key) ? (data().expiries.get(key) ?? Number.POSITIVE_INFINITY) - now() : 0),
    hash: (key) => (find(key) ? hashAt(key) : empty.fields),
    hset: (key, ...words) => {
      for (const [field, value] of pairs(words)) hashAt(key).set(String(field), String(value));
    },
    hdel: (key, ...fields) => {
      if (!find(key)) return;
      for (const field of fields) hashAt(key).delete(field);
      dropIfEmpty(key, hashAt(key).size);
    },
    rpush: (key, text) => {
      listAt(key).push(text);
    },
    list: (key) => (find(key) ? listAt(key) : []),
    sadd: (key, member) => {
      setAt(key).add(member);
    },
    srem: (key, member) => {
      if (!find(key)) return;
      setAt(key).delete(member);
      dropIfEmpty(key, setAt(key).size);
    },
    members: (key) => (find(key) ? setAt(key) : empty.members),
    zadd: (key, ...words) => {
      for (const [score, member] of pairs(words)) sortedAt(key).set(String(member), Number(score));
    },
    zrem: (key, ...members) => {
      if (!find(key)) return;
      for (const member of members) sortedAt(key).delete(member);
      dropIfEmpty(key, sortedAt(key).size);
    },
    scores: (key) => (find(key) ? sortedAt(key) : empty.scores),
    xadd: (key, ...fields) => {
      const stream = streamAt(key);
      stream.lastSequence = now() > stream.lastMs ? 0 : stream.lastSequence + 1;
      stream.lastMs = Math.max(now(), stream.lastMs);
      const id = `${stream.lastMs}-${stream.lastSequence}`;
      stream.entries.push({ id, fields });
      onAppend();
      return id;
    },
    entries: (key) => (find(key) ? streamAt(key).entries : []),
    trimThrough: (key, id) => {
      const { entries } = streamAt(key);
      entries.splice(0, entries.findIndex((entry) => entry.id === id) + 1);
    },
  };
}

function pairs<Word>(words: readonly Word[]): readonly (readonly [Word, Word])[] {
  const found: [Word, Word][] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [first, second] = [words[at], words[at + 1]];
    if (first !== undefined && second !== undefined) found.push([first, second]);
  }
  return found;
}

function wrongType(key: string): Error {
  return new Error(`WRONGTYPE ${key}`);
}
