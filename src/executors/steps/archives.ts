import { putArchive, readArchive } from "../../ost/archives.ts";
import type { Contents } from "../../runs/steps/contents.ts";
import type { PackedContents } from "../driver.ts";
import { RefusedEntry } from "../unpack-files.ts";
import type { StepContext } from "./step-context.ts";
import { StepFault } from "./step-fault.ts";

/**
 * What goes into an archive. Without a `destDir` files are restored where they came from: below `~`, or at the same path
 * relative to the working directory. An absolute `sourceDir` says nothing about that, so it needs a `destDir`.
 */
export function packedContents(contents: readonly Contents[]): readonly PackedContents[] {
  return contents.map(({ sourceDir = ".", destDir = sourceDir, paths = ["**"] }) => {
    const segments = destDir.split("/").filter((segment) => segment !== "" && segment !== ".");
    if (destDir.startsWith("/"))
      throw new StepFault("config", `${destDir} is absolute: say with destDir where its files belong in the archive`);
    if (segments.includes("..")) throw new StepFault("config", `destDir ${destDir} leaves the archive`);
    return { sourceDir, destDir: segments.join("/"), paths };
  });
}

export interface Upload {
  readonly key: string;
  readonly label: Parameters<typeof putArchive>[2]["label"];
  readonly contents: readonly PackedContents[];
}

/** Packs files and stores them as one object, streamed; false if the object was there already. */
export async function uploadArchive(
  { pod, workingDir, store, log }: StepContext,
  { key, label, contents }: Upload,
  signal: AbortSignal,
): Promise<boolean> {
  const tar = pod.files.pack({ workingDir, contents }, signal);
  const stored = await putArchive(store, key, { label, tar }, { signal });
  if (stored) await log.line(`saved ${(await store.stat(key))?.sizeBytes ?? 0} bytes`);
  return stored;
}

/** Fetches an archive and unpacks it; false if there is none. */
export async function downloadArchive(
  { pod, workingDir, store }: StepContext,
  download: { readonly key: string; readonly destDir: string },
  signal: AbortSignal,
): Promise<boolean> {
  const tar = await readArchive(store, download.key);
  if (!tar) return false;
  try {
    await pod.files.unpack({ workingDir, destDir: download.destDir }, tar, signal);
  } catch (error) {
    if (error instanceof RefusedEntry) throw new StepFault("config", error.message, { cause: error });
    throw error;
  }
  return true;
}
