import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rm, rmdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { errnoOf } from "./faults.ts";

/** Unfinished files, below the store's root; no key begins with a dot. */
export const temporaryFolder = ".tmp";

/** Unfinished files of other machines are given up after a day without a write: nobody can ask their process. */
const abandonedMs = 24 * 3_600_000;

const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, "_");

/** A new name in the temporary folder; it tells whose it is, so that it can be cleaned once its process is gone. */
export function temporaryName(): string {
  return `${host}.${process.pid}.${randomBytes(9).toString("hex")}`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}

/** Removes what crashed processes left unfinished: never a file of a living process of this machine, or a recent one of another. */
export async function cleanTemporary(root: string, now: number): Promise<void> {
  const folder = join(root, temporaryFolder);
  for (const name of await readdir(folder)) {
    const [owner, pid] = name.split(".");
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts) continue;
    const abandoned = owner === host ? !isRunning(Number(pid)) : now - facts.mtimeMs > abandonedMs;
    if (abandoned) await rm(path, { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder's entries durable. Calls for one folder share: whoever comes while a sync runs waits for the next one,
 * which covers all that was renamed before it begins. A folder that is gone meanwhile has nothing to keep.
 */
export function createFolderSync(): (path: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  const run = (path: string): Promise<void> => {
    const sync = syncFolder(path)
      .catch((error: unknown) => {
        if (errnoOf(error) !== "ENOENT") throw error;
      })
      .finally(() => {
        if (running.get(path) === sync) running.delete(path);
      });
    running.set(path, sync);
    return sync;
  };

  return (path) => {
    const current = running.get(path);
    if (!current) return run(path);
    const waiting = next.get(path);
    if (waiting) return waiting;
    const following = current
      .catch(() => {})
      .then(() => {
        next.delete(path);
        return run(path);
      });
    next.set(path, following);
    return following;
  };
}

/** Makes a folder and those above it, each durable in its parent. */
export async function makeFolder(path: string, sync: (path: string) => Promise<void>): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  for (let made = path; made.length >= firstMade.length; made = dirname(made)) await sync(dirname(made));
}

/** Removes folders that became empty, from `path` up to below `root`. */
export async function removeEmpty(path: string, root: string): Promise<void> {
  for (let folder = path; folder.length > root.length; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") continue;
      return;
    }
  }
}
