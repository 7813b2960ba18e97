import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A place with its own processes, network and mounts. It goes when its maker ends, however that happens. */
export interface DockerdHome {
  /** Process id of the home's first process, as this machine numbers it. */
  readonly pid: number;
  /** Kills everything in it and removes its folder; resolves once nothing is left. */
  readonly remove: () => Promise<void>;
}

/** Makes a home that owns `folder` and the cgroups named `cgroup`. Needs root. */
export async function createHome(folder: string, cgroup: string): Promise<DockerdHome> {
  const keeper = spawn(join(import.meta.dirname, "dockerd-home.sh"), [folder, cgroup], {
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  keeper.unref();
  const ended = once(keeper, "exit");
  // A home that cannot be made says nothing more.
  const lines = createInterface({ input: keeper.stdout, signal: AbortSignal.timeout(10_000) })[Symbol.asyncIterator]();
  const outer = (await lines.next()).value?.match(/^outer (\d+)$/)?.[1];
  if (outer === undefined || (await lines.next()).value !== "ready") {
    keeper.stdin.end();
    throw new Error("this machine lets nobody make a home for a dockerd: `unshare` failed");
  }
  return {
    pid: childOf(Number(outer)),
    remove: async () => {
      keeper.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`something of a test's dockerd is left in ${folder} or in the cgroups ${cgroup}`);
    },
  };
}

/** Runs a program in the home of which `pid` is the first process; its id on this machine is `childOf` the result's. */
export function spawnIn(pid: number, command: readonly string[], output: "pipe" | number): ChildProcess {
  const child = spawn("nsenter", ["--target", String(pid), "--net", "--mount", "--pid", ...command], {
    detached: true,
    stdio: ["pipe", output, output],
  });
  child.unref();
  return child;
}

/** The first child of a process; throws if it has none. */
export function childOf(pid: number): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0]);
  if (!child) throw new Error(`process ${pid} has no child`);
  return child;
}
