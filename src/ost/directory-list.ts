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

async function readEntries(root: string, folder: string): Promise<Entry[]> {
  let found: Dirent[];
  try {
    found = await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
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
  readonly prefix: string;
  readonly after: string;
  readonly delimited: boolean;
}

/** Entries in key order; with a delimiter, folders below the prefix's own instead of what is in them. */
async function* walk(root: string, folder: string, query: Walk): AsyncGenerator<Entry> {
  for (const entry of await readEntries(root, folder)) {
    if (!entry.key.startsWith(query.prefix)) continue;
    if (!entry.isFolder) {
      if (entry.key > query.after) yield entry;
      continue;
    }
    if (query.delimited) {
      if (entry.key > query.after && (await hasObject(root, entry.key))) yield entry;
      continue;
    }
    // Everything below sorts before `after` unless `after` itself is below, or sorts before the folder.
    if (entry.key > query.after || query.after.startsWith(entry.key)) yield* walk(root, entry.key, query);
  }
}

/** A page of the objects below a folder tree, in the order of their keys. */
export async function listFolder(root: string, query: ListQuery): Promise<ListPage> {
  const limit = query.limit ?? defaultLimit;
  const objects: { key: string; sizeBytes: number; modifiedAt: number }[] = [];
  const prefixes: string[] = [];
  const folder = query.prefix.slice(0, query.prefix.lastIndexOf("/") + 1);
  let last: string | undefined;
  for await (const entry of walk(root, folder, {
    prefix: query.prefix,
    after: query.startAfter ?? "",
    delimited: query.delimiter === "/",
  })) {
    if (objects.length + prefixes.length >= limit) return { objects, prefixes, next: last };
    if (entry.isFolder) {
      prefixes.push(entry.key);
      last = entry.key;
      continue;
    }
    const facts = await stat(join(root, entry.key)).catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    });
    if (!facts) continue;
    objects.push({ key: entry.key, sizeBytes: facts.size, modifiedAt: facts.mtimeMs });
    last = entry.key;
  }
  return { objects, prefixes, next: undefined };
}
