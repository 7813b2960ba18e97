import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

const execute = promisify(execFile);

export interface SmallDisk {
  readonly root: string;
  /** Runs a script with the folder as argument, and parses what it prints. */
  readonly run: (script: string, root: string) => Promise<unknown>;
  /** What a refused write is explained with. */
  readonly why: string;
}

async function mount(folder: string, sizeBytes: number): Promise<boolean> {
  try {
    await execute("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", folder]);
  } catch {
    return false;
  }
  onTestFinished(async () => {
    await execute("umount", ["-l", folder]);
  });
  return true;
}

/** A folder where no more than so many bytes fit: a file system of its own where one may be mounted, else a limit on the size of files. */
export async function smallDisk(sizeBytes: number): Promise<SmallDisk> {
  const root = await temporaryFolder();
  if (await mount(root, sizeBytes)) {
    const run = async (script: string, folder: string) => JSON.parse((await execute(process.execPath, [script, folder])).stdout);
    return { root, run, why: "the disk is full" };
  }
  const limited = (script: string, folder: string) => [
    "-c",
    `ulimit -f ${sizeBytes / 512}; exec "$0" "$@"`,
    process.execPath,
    script,
    folder,
  ];
  const run = async (script: string, folder: string) => JSON.parse((await execute("sh", limited(script, folder))).stdout);
  return { root, run, why: "the file is larger than the file system or the process's limit allows" };
}
