import { chmod, link, lstat, mkdir, open, realpath, rm, symlink, utimes } from "node:fs/promises";
import { join, sep } from "node:path";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { hasCode } from "./file-errors.ts";
import { makeFolder } from "./make-folder.ts";

export interface UnpackTarget {
  /** Where entries below `~` go. */
  readonly home: string;
  /** Where all other entries go. */
  readonly destDir: string;
}

/** An archive that tries to write outside its destination, or holds what cannot be unpacked. Nothing after that entry is written. */
export class RefusedEntry extends Error {
  constructor(name: string, why: string) {
    super(`the archive's entry ${JSON.stringify(name)} ${why}`);
    this.name = "RefusedEntry";
  }
}

export const leavesByLink = "would leave its destination through a link";

/** Unpacks a tar stream; existing files are replaced, links and modes are kept. */
export async function unpackFiles(target: UnpackTarget, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const decoder = createTarDecoder({ strict: true });
  const fed = feed(tar, decoder.writable, signal);
  const folders: { readonly path: string; readonly mode: number; readonly mtime: Date | undefined }[] = [];
  try {
    for await (const entry of decoder.readable) {
      signal.throwIfAborted();
      const folder = await unpackOne(target, entry);
      if (folder) folders.push(folder);
    }
    await fed;
  } catch (error) {
    await fed.catch(() => {});
    throw error;
  }
  // Last, and children first: a read-only folder could not be filled.
  for (const { path, mode, mtime } of folders.reverse()) {
    await chmod(path, mode);
    if (mtime) await utimes(path, mtime, mtime);
  }
}

async function feed(tar: AsyncIterable<Uint8Array>, into: WritableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
  const writer = into.getWriter();
  try {
    for await (const chunk of tar) {
      signal.throwIfAborted();
      await writer.write(chunk);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

async function unpackOne(target: UnpackTarget, entry: ParsedTarEntry) {
  const { header } = entry;
  const place = await placeOf(target, header.name);
  const mode = (header.mode ?? 0o644) & 0o777;
  switch (header.type) {
    case "directory": {
      await drained(entry);
      await makeOwnFolder(place.path);
      const path = await realpath(place.path);
      if (!isBelow(path, place.root)) throw new RefusedEntry(header.name, leavesByLink);
      return { path, mode, mtime: header.mtime };
    }
    case "file": {
      await rm(place.path, { force: true });
      await writeBody(entry, place.path, mode);
      if (header.mtime) await utimes(place.path, header.mtime, header.mtime);
      return undefined;
    }
    case "symlink": {
      await drained(entry);
      await rm(place.path, { force: true });
      await symlink(header.linkname ?? "", place.path);
      return undefined;
    }
    case "link": {
      await drained(entry);
      const first = await placeOf(target, header.linkname ?? "");
      await rm(place.path, { force: true });
      await link(first.path, place.path);
      return undefined;
    }
    default:
      throw new RefusedEntry(header.name, `is a ${header.type}, which is not unpacked`);
  }
}

/**
 * Where an entry goes. Its folder is created, and must really lie below the destination once links are followed:
 * a link may point anywhere, but nothing is ever written through one that leaves.
 */
async function placeOf({ home, destDir }: UnpackTarget, name: string): Promise<{ readonly path: string; readonly root: string }> {
  const { inHome, segments } = placeInArchive(name);
  const root = inHome ? home : destDir;
  await makeFolder(root);
  const realRoot = await realpath(root);
  let parent = realRoot;
  for (const segment of segments.slice(0, -1)) {
    parent = join(parent, segment);
    await makeOwnFolder(parent);
    parent = await realpath(parent);
    if (!isBelow(parent, realRoot)) throw new RefusedEntry(name, leavesByLink);
  }
  const last = segments.at(-1);
  return { path: last === undefined ? realRoot : join(parent, last), root: realRoot };
}

/** What an entry's name says; throws RefusedEntry if that leaves the destination. */
export function placeInArchive(name: string): { readonly inHome: boolean; readonly segments: readonly string[] } {
  const inHome = name === "~" || name.startsWith("~/");
  const segments = (inHome ? name.slice(2) : name).split("/").filter((segment) => segment !== "" && segment !== ".");
  if (name.startsWith("/") || segments.includes("..") || name.includes("\0")) throw new RefusedEntry(name, "would leave its destination");
  return { inHome, segments };
}

/** True for the folder itself, too. */
export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root === sep ? sep : root + sep);
}

/** A folder that is there may be one reached through a link; anything else in its place goes. */
async function makeOwnFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    const found = await lstat(path);
    if (found.isDirectory() || found.isSymbolicLink()) return;
    await rm(path, { force: true });
    await mkdir(path, { mode: 0o700 });
  }
}

async function drained(entry: ParsedTarEntry): Promise<void> {
  await entry.body.cancel();
}

async function writeBody(entry: ParsedTarEntry, path: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for await (const chunk of entry.body) await file.writeFile(chunk);
    await file.chmod(mode);
  } finally {
    await file.close();
  }
}
