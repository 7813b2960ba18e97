import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { hasCode } from "./file-errors.ts";

/**
 * Makes a folder and those above it; one that is there, also through a link, is no fault.
 * Not Node's own recursive mkdir: that never returns where the system answers ENOENT below a folder that exists, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (hasCode(error, "EEXIST") && (await stat(path)).isDirectory()) return;
    if (!hasCode(error, "ENOENT") || (await isThere(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      // Made by somebody else meanwhile.
      if (!hasCode(again, "EEXIST")) throw again;
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, "ENOENT")) return false;
      throw error;
    },
  );
}
