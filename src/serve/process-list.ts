import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Process ids of everything that runs with `argument` among its arguments; only what this user may see. */
export async function findByArgument(argument: string): Promise<readonly number[]> {
  return process.platform === "linux" ? await findInProc(argument) : await findWithPs(argument);
}

async function findInProc(argument: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const matches = await Promise.all(
    pids.map(async (pid) => {
      // A process may end between the listing and the look.
      const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return commandLine.split("\0").slice(1).includes(argument) ? [Number(pid)] : [];
    }),
  );
  return matches.flat();
}

/** `ps` shows arguments joined by spaces, so the argument must be the last one. */
async function findWithPs(argument: string): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-Ao", "pid=,args="], { maxBuffer: 16 * 1024 * 1024, timeout: 10_000 });
  return stdout
    .split("\n")
    .filter((line) => line.trimEnd().endsWith(` ${argument}`))
    .map((line) => Number.parseInt(line, 10));
}

/** True while a process with this id exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Sends a signal to a process that may have ended meanwhile. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  if (isRunning(pid)) process.kill(pid, signal);
}
