/** Object storage as the rest of ostler sees it. Keys are slash-separated, already encoded by `layout.ts`. */
export interface Store {
  /** Stores an object. With `onlyIfAbsent`, false means that one was there already and nothing changed. */
  readonly put: (key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions) => Promise<boolean>;
  /** The object's bytes, or undefined if there is none. `range.end` is exclusive; a negative `start` counts from the end. */
  readonly get: (key: string, range?: ByteRange) => Promise<Uint8Array | undefined>;
  /** As `get`, for what does not fit in memory. */
  readonly stream: (key: string, range?: ByteRange) => Promise<AsyncIterable<Uint8Array> | undefined>;
  readonly stat: (key: string) => Promise<ObjectStat | undefined>;
  /** Objects below `prefix` in key order, from after `startAfter`; with a delimiter, common prefixes instead of what is below them. */
  readonly list: (query: ListQuery) => Promise<ListPage>;
  /** Deletes what is there of these; a missing one is no fault. */
  readonly delete: (keys: readonly string[]) => Promise<void>;
}

export interface PutOptions {
  readonly onlyIfAbsent?: boolean;
  readonly signal?: AbortSignal;
}

export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface ObjectStat {
  readonly sizeBytes: number;
  readonly modifiedAt: number;
}

export interface ListQuery {
  readonly prefix: string;
  readonly startAfter?: string;
  readonly delimiter?: "/";
  /** At most this many entries, objects and prefixes together; default 1,000. */
  readonly limit?: number;
}

export interface ListPage {
  readonly objects: readonly { readonly key: string; readonly sizeBytes: number; readonly modifiedAt: number }[];
  readonly prefixes: readonly string[];
  /** Pass as `startAfter` to go on; undefined at the end. */
  readonly next: string | undefined;
}
