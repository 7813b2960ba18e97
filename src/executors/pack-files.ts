import type { Stats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { createTarPacker, type TarHeader } from "modern-tar";
import picomatch from "picomatch";
import type { PackedContents } from "./driver.ts";
import { hasCode } from "./file-errors.ts";

const readBytes = 256 * 1024;

/** Writes a tar stream. */
export interface Packer {
  readonly add: (header: TarHeader, body?: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** The tar stream that `work` writes, as it writes it. */
export async function* packStream(work: (packer: Packer) => Promise<void>): AsyncGenerator<Uint8Array> {
  const { readable, controller } = createTarPacker();
  const add: Packer["add"] = async (header, body) => {
    const stream = controller.add(header);
    if (!body) return stream.close();
    const writer = stream.getWriter();
    for await (const chunk of body) await writer.write(chunk);
    await writer.close();
  };
  const packed = work({ add }).then(
    () => controller.finalize(),
    (error: unknown) => controller.error(error),
  );
  yield* readable;
  await packed;
}

/** A tar stream of what matches, in name order. `sourceDir` is absolute here; a missing one has no files. */
export function packFiles(contents: readonly PackedContents[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  return packStream(({ add }) => packInto({ add, links: new Map() }, contents, signal));
}

interface LocalPacker extends Packer {
  /** Inode of a file with several names -> its first name in the archive. */
  readonly links: Map<string, string>;
}

async function packInto(packer: LocalPacker, contents: readonly PackedContents[], signal: AbortSignal): Promise<void> {
  for (const { sourceDir, destDir, paths } of contents) {
    const matches = createMatcher(paths);
    for await (const file of walk(sourceDir, "")) {
      signal.throwIfAborted();
      if (matches(file.path))
        await packOne(packer, { source: join(sourceDir, file.path), name: posix.join(destDir, file.path), stat: file.stat });
    }
  }
}

/** Patterns that begin with `!` take out what others have let in. One that names a folder means all that is in it; dot files match like any other. */
export function createMatcher(paths: readonly string[]): (path: string) => boolean {
  const globs = (patterns: readonly string[]) =>
    patterns.map((pattern) => pattern.replace(/^\.\//, "").replace(/\/+$/, "")).flatMap((pattern) => [pattern, `${pattern}/**`]);
  const wanted = picomatch(globs(paths.filter((path) => !path.startsWith("!"))), { dot: true });
  const unwanted = picomatch(globs(paths.filter((path) => path.startsWith("!")).map((path) => path.slice(1))), { dot: true });
  return (path) => wanted(path) && !unwanted(path);
}

interface Found {
  /** Relative to where the walk began. */
  readonly path: string;
  readonly stat: Stats;
}

async function* walk(root: string, below: string): AsyncGenerator<Found> {
  const names = await readdir(join(root, below)).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
  for (const name of names.sort()) {
    const path = posix.join(below, name);
    const stat = await lstat(join(root, path)).catch(() => undefined);
    if (!stat) continue;
    yield { path, stat };
    if (stat.isDirectory()) yield* walk(root, path);
  }
}

interface ToPack {
  readonly source: string;
  /** In the archive. */
  readonly name: string;
  readonly stat: Stats;
}

/** Sockets, pipes and devices are left out. */
async function packOne(packer: LocalPacker, { source, name, stat }: ToPack): Promise<void> {
  const header = { name, mode: stat.mode & 0o7777, mtime: stat.mtime, size: 0 };
  if (stat.isDirectory()) return packer.add({ ...header, name: `${name}/`, type: "directory" });
  if (stat.isSymbolicLink()) return packer.add({ ...header, type: "symlink", linkname: await readlink(source) });
  if (!stat.isFile()) return;
  const inode = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1 ? packer.links.get(inode) : undefined;
  if (first !== undefined) return packer.add({ ...header, type: "link", linkname: first });
  packer.links.set(inode, name);
  await packer.add({ ...header, type: "file", size: stat.size }, readExactly(source, stat.size));
}

/** Exactly the announced size: a file that grows meanwhile is cut there, one that shrinks is a fault. */
async function* readExactly(source: string, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(source, "r");
  try {
    for (let at = 0; at < size; ) {
      const length = Math.min(readBytes, size - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Error(`${source} was truncated while it was packed`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
