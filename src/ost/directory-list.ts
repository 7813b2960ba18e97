import type { Dirent } from "node:fs";
import { opendir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "./faults.ts";
import type { ListPage, ListQuery } from "./store.ts";

const defaultLimit = 1_000;
/** What a file system of its own brings along. */
const foreign = new Set(["lost+found"]);

interface Entry {
  /** The whole key; of a folder, with a slash at its end. */
  readonly key: string;
  readonly isFolder: boolean;
}

interface CachedFolder {
  readonly changedAt: bigint;
  readonly entries: readonly Entry[];
}

/** Reads a folder's entries in key order. */
type ReadEntries = (folder: string) => Promise<readonly Entry[]>;

const cacheAbove = 2_000;
const cachedFolders = 4;
/** A folder that has just changed may change again without its time telling. */
const settledNs = 100_000_000n;

/** Keeps the entries of big folders, so that paging through a million runs does not read and sort them for every page. */
function createEntryReader(root: string): ReadEntries {
  const cache = new Map<string, CachedFolder>();
  return async (folder) => {
    const changedAt = (await stat(join(root, folder), { bigint: true }).catch(unlessMissing))?.mtimeNs;
    if (changedAt === undefined) return [];
    const cached = cache.get(folder);
    if (cached?.changedAt === changedAt) return cached.entries;
    cache.delete(folder);
    const entries = await readSorted(root, folder);
    if (entries.length <= cacheAbove || BigInt(Date.now()) * 1_000_000n - changedAt < settledNs) return entries;
    for (const oldest of cache.keys()) if (cache.size >= cachedFolders) cache.delete(oldest);
    cache.set(folder, { changedAt, entries });
    return entries;
  };
}

function unlessMissing(error: unknown): undefined {
  const code = errnoOf(error);
  if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  return undefined;
}

async function readSorted(root: string, folder: string): Promise<Entry[]> {
  const found: Dirent[] = (await readdir(join(root, folder), { withFileTypes: true }).catch(unlessMissing)) ?? [];
  const entries: Entry[] = [];
  for (const entry of found) {
    if (folder === "" && (entry.name.startsWith(".") || foreign.has(entry.name))) continue;
    const isFolder = entry.isDirectory();
    entries.push({ key: `${folder}${entry.name}${isFolder ? "/" : ""}`, isFolder });
  }
  // A folder sorts with its slash, as the keys below it do.
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whether any object is below the folder: crashes leave empty folders, which are no objects' prefixes. */
async function hasObject(root: string, folder: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(join(root, folder))) {
      if (!entry.isDirectory() || (await hasObject(root, `${folder}${entry.name}/`))) return true;
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  return false;
}

interface Walk {
  readonly root: string;
  readonly read: ReadEntries;
  readonly prefix: string;
  readonly after: string;
  readonly delimited: boolean;
}

/** Entries in key order; with a delimiter, folders below the prefix's own instead of what is in them. */
async function* walk(folder: string, query: Walk): AsyncGenerator<Entry> {
  const entries = await query.read(folder);
  for (let i = firstFrom(entries, query.prefix > query.after ? query.prefix : query.after); i < entries.length; i++) {
    const entry = entries[i];
    if (!entry?.key.startsWith(query.prefix)) {
      if (entry && entry.key > query.prefix) return;
      continue;
    }
    if (!entry.isFolder) {
      if (entry.key > query.after) yield entry;
      continue;
    }
    if (query.delimited) {
      if (entry.key > query.after && (await hasObject(query.root, entry.key))) yield entry;
      continue;
    }
    // Everything below sorts before `after` unless `after` itself is below, or sorts before the folder.
    if (entry.key > query.after || query.after.startsWith(entry.key)) yield* walk(entry.key, query);
  }
}

/** Where the entries begin that are `key` or sort after it, and the folder that `key` is in, which sorts before it. */
function firstFrom(entries: readonly Entry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.key ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Lists the objects below a folder tree by pages, in the order of their keys. */
export function createLister(root: string): (query: ListQuery) => Promise<ListPage> {
  const read = createEntryReader(root);
  return (query) => listPage({ root, read }, query);
}

async function listPage({ root, read }: Pick<Walk, "root" | "read">, query: ListQuery): Promise<ListPage> {
  const limit = query.limit ?? defaultLimit;
  const objects: { key: string; sizeBytes: number; modifiedAt: number }[] = [];
  const prefixes: string[] = [];
  const folder = query.prefix.slice(0, query.prefix.lastIndexOf("/") + 1);
  let last: string | undefined;
  const all: Walk = { root, read, prefix: query.prefix, after: query.startAfter ?? "", delimited: query.delimiter === "/" };
  for await (const entry of walk(folder, all)) {
    if (objects.length + prefixes.length >= limit) return { objects, prefixes, next: last };
    if (entry.isFolder) {
      prefixes.push(entry.key);
      last = entry.key;
      continue;
    }
    const facts = await stat(join(root, entry.key)).catch(unlessMissing);
    if (!facts) continue;
    objects.push({ key: entry.key, sizeBytes: facts.size, modifiedAt: facts.mtimeMs });
    last = entry.key;
  }
  return { objects, prefixes, next: undefined };
}
