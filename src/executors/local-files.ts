import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { PodFiles } from "./driver.ts";
import { hasCode } from "./file-errors.ts";
import { packFiles } from "./pack-files.ts";
import { unpackFiles } from "./unpack-files.ts";

/** A path as a step writes it, on this host: `~` is `home`, a relative one is below `workingDir` (itself such a path). */
export function resolvePath(home: string, workingDir: string, path: string): string {
  if (path === "~") return home;
  if (path.startsWith("~/")) return join(home, path.slice(2));
  return resolve(workingDir === "~" ? home : resolvePath(home, "~", workingDir), path);
}

/** The files of a pod whose home is a folder of this host. */
export function localFiles(home: string): PodFiles {
  const reader = async <T>(path: string, read: (path: string) => Promise<T>): Promise<T | undefined> => {
    try {
      return await read(resolvePath(home, "~", path));
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  };
  return {
    pack: ({ workingDir, contents }, signal) =>
      packFiles(
        contents.map((content) => ({ ...content, sourceDir: resolvePath(home, workingDir, content.sourceDir) })),
        signal,
      ),
    unpack: ({ workingDir, destDir }, tar, signal) => unpackFiles({ home, destDir: resolvePath(home, workingDir, destDir) }, tar, signal),
    read: (path, maxBytes) =>
      reader(path, async (file) => {
        const handle = await open(file, "r");
        try {
          const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
          return buffer.subarray(0, bytesRead);
        } finally {
          await handle.close();
        }
      }),
    sha256: (path, signal) =>
      reader(path, async (file) => {
        const hash = createHash("sha256");
        for await (const chunk of createReadStream(file, { signal })) hash.update(chunk);
        return hash.digest("hex");
      }),
  };
}
