import { type FileHandle, link, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cleanTemporary, createFolderSync, makeFolder, removeEmpty, temporaryFolder, temporaryName } from "./directory-files.ts";
import { createLister } from "./directory-list.ts";
import { errnoOf, storageFault } from "./faults.ts";
import { checkKey, resolveRange } from "./key.ts";
import type { ByteRange, PutOptions, Store } from "./store.ts";

export interface DirectoryOptions {
  /** False leaves durability to the operating system: for benchmarks and throw-away data only. */
  readonly fsync?: boolean;
}

const pieceBytes = 256 * 1024;
/** A folder that a deletion removes between its making and the rename is made again; more often than this is no accident. */
const placings = 20;

type Body = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Object storage in a folder, each object a file. An object appears whole and durable, or not at all: it is written to a
 * temporary file, synced, renamed (linked where it must be absent), and its folder is synced. Any number of processes may
 * share the folder, also over a network file system that has atomic renames.
 */
export async function openDirectory(root: string, { fsync = true }: DirectoryOptions = {}): Promise<Store> {
  const sync = fsync ? createFolderSync() : async () => {};
  const pathOf = (key: string) => join(root, ...checkKey(key));
  const list = createLister(root);
  const files: Files = { root, fsync, sync };

  await explained("open its folder", async () => {
    await mkdir(join(root, temporaryFolder), { recursive: true, mode: 0o700 });
    await cleanTemporary(root, Date.now());
  });

  return {
    put: (key, body, options = {}) => explained(`store ${key}`, () => put(files, pathOf(key), body, options)),
    get: (key, range) => explained(`read ${key}`, () => read(pathOf(key), range)),
    stream: (key, range) => explained(`read ${key}`, () => openStream(pathOf(key), range)),
    stat: (key) => explained(`look at ${key}`, () => statObject(pathOf(key))),
    list: (query) => explained(`list ${query.prefix}`, () => list(query)),
    delete: (keys) => explained("delete objects", () => deleteAll(files, keys.map(pathOf))),
  };
}

interface Files {
  readonly root: string;
  readonly fsync: boolean;
  readonly sync: (folder: string) => Promise<void>;
}

async function explained<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageFault(action, error);
  }
}

/** A folder, or something below a file, is no object. */
const missing = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

function unlessMissing(error: unknown): undefined {
  if (!missing.has(errnoOf(error) ?? "")) throw error;
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessMissing))?.isFile() === true;
}

async function put(files: Files, path: string, body: Body, options: PutOptions): Promise<boolean> {
  options.signal?.throwIfAborted();
  const onlyIfAbsent = options.onlyIfAbsent === true;
  // Only saves work: for a small body the link below finds it out as cheaply.
  if (onlyIfAbsent && !(body instanceof Uint8Array) && (await exists(path))) return alreadyThere(files, path);
  const temporary = join(files.root, temporaryFolder, temporaryName());
  let isTemporary = true;
  try {
    await writeWhole(temporary, body, { fsync: files.fsync, signal: options.signal });
    const placed = await place(files, temporary, { path, onlyIfAbsent });
    isTemporary = onlyIfAbsent;
    if (!placed) return await alreadyThere(files, path);
    await files.sync(dirname(path));
    return true;
  } finally {
    if (isTemporary) await unlink(temporary).catch(unlessMissing);
  }
}

/** Whoever put it may not have synced it yet, and "it is there" must outlive a crash as well. */
async function alreadyThere(files: Files, path: string): Promise<false> {
  await files.sync(dirname(path));
  return false;
}

interface Writing {
  readonly fsync: boolean;
  readonly signal: AbortSignal | undefined;
}

async function writeWhole(path: string, body: Body, { fsync, signal }: Writing): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    if (body instanceof Uint8Array) await file.writeFile(body);
    else await pipeline(body, (source: AsyncIterable<Uint8Array>) => writeAll(file, source), signal ? { signal } : {});
    if (fsync) await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
  }
}

interface Target {
  readonly path: string;
  readonly onlyIfAbsent: boolean;
}

/** Gives the finished file its name; false if there is one already and it must not be replaced. */
async function place(files: Files, temporary: string, { path, onlyIfAbsent }: Target): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await (onlyIfAbsent ? link(temporary, path) : rename(temporary, path));
      return true;
    } catch (error) {
      const code = errnoOf(error);
      if (onlyIfAbsent && code === "EEXIST") return false;
      if (code !== "ENOENT" || attempt === placings) throw error;
    }
    await makeFolder(dirname(path), files.sync).catch(unlessMissing);
  }
}

async function read(path: string, range: ByteRange | undefined): Promise<Uint8Array | undefined> {
  return readFile(path, range).catch(unlessMissing);
}

async function readFile(path: string, range: ByteRange | undefined): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    if (!range) return await file.readFile();
    const { start, end } = resolveRange((await file.stat()).size, range);
    const bytes = Buffer.alloc(end - start);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function openStream(path: string, range: ByteRange | undefined): Promise<AsyncIterable<Uint8Array> | undefined> {
  return (await exists(path)) ? pieces(path, range) : undefined;
}

/** Opens the file when the first piece is asked for, so that a stream nobody reads holds nothing. */
async function* pieces(path: string, range: ByteRange | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { start, end } = resolveRange((await file.stat()).size, range);
    for (let at = start; at < end; ) {
      const piece = Buffer.alloc(Math.min(pieceBytes, end - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } catch (error) {
    throw storageFault("read an object", error);
  } finally {
    await file.close();
  }
}

async function statObject(path: string) {
  const facts = await stat(path).catch(unlessMissing);
  return facts?.isFile() ? { sizeBytes: facts.size, modifiedAt: facts.mtimeMs } : undefined;
}

async function deleteAll(files: Files, paths: readonly string[]): Promise<void> {
  const folders = new Set<string>();
  for (const path of paths) {
    const deleted = await unlink(path).then(() => true, unlessMissing);
    if (deleted) folders.add(dirname(path));
  }
  for (const folder of folders) {
    await files.sync(folder);
    await removeEmpty(folder, files.root);
  }
}
