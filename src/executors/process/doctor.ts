import { execFile } from "node:child_process";
import { mkdir, statfs } from "node:fs/promises";
import { promisify } from "node:util";
import type { Config } from "../../config.ts";
import type { Check } from "../../doctor/examine.ts";
import { type Finding, failed, ok, warning } from "../../doctor/finding.ts";

/** Checkouts and builds fill a disk in minutes; with less than this a task is likely to fail. */
const roomyBytes = 2 * 1024 ** 3;
const leastBytes = 100 * 1024 ** 2;
const mib = 1024 ** 2;

/** What the driver of processes needs: programs that start a step in a session of its own, and room for its folder. */
export function processChecks({ dataDir, hostEnvironment }: Config): readonly Check[] {
  return [
    {
      name: "process.programs",
      advice: "install a POSIX shell and util-linux",
      perform: (signal) => checkPrograms(hostEnvironment, signal),
    },
    { name: "process.disk", advice: "let this user write to OSTLER_DATA_DIR", perform: () => checkDisk(dataDir) },
  ];
}

async function checkPrograms(environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<readonly Finding[]> {
  const check = "process.programs";
  await promisify(execFile)("/bin/sh", ["-c", "true"], { env: environment, signal });
  // Without it the shell's own job control stands in, which not every shell does right.
  const hasSetsid = await promisify(execFile)("/bin/sh", ["-c", "command -v setsid"], { env: environment, signal }).then(
    () => true,
    () => false,
  );
  if (hasSetsid) return [ok(check, "steps start in sessions of their own")];
  return [warning(check, "there is no setsid: what a step leaves running may be missed when it is stopped", "install util-linux")];
}

async function checkDisk(dataDir: string): Promise<readonly Finding[]> {
  const check = "process.disk";
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(dataDir);
  const message = `${Math.floor((bavail * bsize) / mib)} MiB are free in ${dataDir}`;
  const advice = "free disk space, or set OSTLER_DATA_DIR to a larger disk";
  if (bavail * bsize < leastBytes) return [failed(check, message, advice)];
  return [bavail * bsize < roomyBytes ? warning(check, message, advice) : ok(check, message)];
}
