import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { PodEntry, PodOwner } from "../driver.ts";
import { hasCode } from "../file-errors.ts";

/** Names of folders that are not pods (yet) begin with a dot, which no pod's id does. */
const draftPrefix = ".new-";
const removingPrefix = ".removing-";

/** A pod on disk. Whoever renames the folder away has ended the pod: nothing can be started in it any more. */
export interface PodFolder {
  readonly path: string;
  readonly home: string;
  readonly outputFile: string;
  readonly lease: string;
  readonly step: (index: number) => StepFolder;
}

export interface StepFolder {
  readonly path: string;
  readonly script: string;
  readonly output: string;
  readonly claim: string;
  readonly pid: string;
  readonly expired: string;
}

export function podFolder(path: string): PodFolder {
  return {
    path,
    home: join(path, "home"),
    outputFile: join(path, "outputs"),
    lease: join(path, "lease"),
    step: (index) => {
      const step = join(path, "steps", String(index));
      return {
        path: step,
        script: join(step, "script"),
        output: join(step, "output"),
        claim: join(step, "claim"),
        pid: join(step, "pid"),
        expired: join(step, "expired"),
      };
    },
  };
}

const Owner = z.object({
  version: z.literal(1),
  id: z.string(),
  createdAt: z.number(),
  owner: z.object({
    installation: z.string(),
    executor: z.string(),
    incarnation: z.string(),
    group: z.string(),
    runId: z.string(),
    task: z.string(),
    attempt: z.number(),
  }),
  /** The pod ends by itself at this time (ms). */
  deadlineAt: z.number(),
  fenceMs: z.number(),
});
export type PodRecord = Omit<z.infer<typeof Owner>, "version"> & { readonly owner: PodOwner };

export interface PodOnDisk {
  readonly path: string;
  readonly record: PodRecord;
}

/** Creates the pod's folder in one rename; false if it exists already. */
export async function createPodFolder(pods: string, record: PodRecord, startBy: number): Promise<boolean> {
  await mkdir(pods, { recursive: true, mode: 0o700 });
  const draft = await mkdtemp(join(pods, draftPrefix));
  try {
    const folder = podFolder(draft);
    await mkdir(folder.home, { mode: 0o700 });
    await mkdir(join(draft, "steps"), { mode: 0o700 });
    await writeFile(join(draft, "pod.json"), JSON.stringify({ version: 1, ...record }), { mode: 0o600 });
    await writeLease(folder, { startBy, until: Math.min(record.createdAt + record.fenceMs, record.deadlineAt) });
    await rename(draft, join(pods, record.id));
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (hasCode(error, "ENOTEMPTY", "EEXIST")) return false;
    throw error;
  }
}

/** Ms: no step starts later than `startBy`; steps are stopped at `until`. */
export interface Lease {
  readonly startBy: number;
  readonly until: number;
}

/** The supervisors read whole seconds, so a lease never ends earlier than it was given. */
export async function writeLease(folder: PodFolder, { startBy, until }: Lease): Promise<void> {
  const draft = `${folder.lease}.new`;
  await writeFile(draft, `${Math.ceil(startBy / 1000)} ${Math.ceil(until / 1000)}\n`, { mode: 0o600 });
  await rename(draft, folder.lease);
}

/** What the pod's folder says of it; undefined if there is no such pod. */
export async function readPodRecord(path: string): Promise<PodRecord | undefined> {
  try {
    return Owner.parse(JSON.parse(await readFile(join(path, "pod.json"), "utf8")));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Ends the pod: its folder gets the name under which it is removed. */
export async function condemn(pods: string, podId: string): Promise<void> {
  try {
    await rename(join(pods, podId), removingPath(pods, podId));
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

/** Where a pod's folder is while it is removed; it still counts as a pod until it is gone. */
export function removingPath(pods: string, podId: string): string {
  return join(pods, removingPrefix + podId);
}

export interface PodListing {
  /** Every pod that is there or being removed. */
  readonly pods: readonly PodEntry[];
  /** Ids of pods of which nobody knows whose they are: their host went down while they were created or removed. */
  readonly broken: readonly string[];
}

export async function listPodFolders(pods: string): Promise<PodListing> {
  const names = await readdir(pods).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
  const found: PodEntry[] = [];
  const broken: string[] = [];
  for (const name of names.filter((entry) => !entry.startsWith(draftPrefix))) {
    const record = await readPodRecord(join(pods, name)).catch(() => "broken" as const);
    if (record === "broken") broken.push(name.replace(removingPrefix, ""));
    else if (record) found.push({ id: record.id, owner: record.owner, createdAt: record.createdAt });
    // Gone since the folder was read, or nearly removed.
    else if (name.startsWith(removingPrefix)) broken.push(name.slice(removingPrefix.length));
  }
  return { pods: found, broken };
}

/** Removes what a crash left of pods that never came to be. */
export async function removeDrafts(pods: string, olderThan: number): Promise<void> {
  for (const name of await readdir(pods).catch(() => [])) {
    const path = join(pods, name);
    const found = name.startsWith(draftPrefix) ? await stat(path).catch(() => undefined) : undefined;
    if (found && found.mtimeMs < olderThan) await rm(path, { recursive: true, force: true });
  }
}
