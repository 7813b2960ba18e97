import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { importImages, pingDocker } from "./docker-images.ts";
import { childOf, createHome, spawnIn } from "./dockerd-home.ts";
import { until } from "./until.ts";

/** A Docker daemon for tests, with the images of docker-images.ts in it and a network without the outside. */
export interface Docker {
  readonly socketPath: string;
  /** First process of the home that the daemon and its containers live in; processes in there have other ids than here. */
  readonly homePid: number;
}

/** A daemon of one test. */
export interface PrivateDocker extends Docker {
  readonly pid: () => number;
  /** Sends a signal to the daemon alone: its containerd and containers go on. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Starts the daemon again once the old one is gone, on the same data. */
  readonly restart: () => Promise<void>;
  /** Removes the daemon, its containers, its folder. */
  readonly remove: () => Promise<void>;
}

/** Daemons are in folders that a shell which became root need not know. */
const searchPath = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
const programs = ["dockerd", "containerd", "runc", "busybox", "unshare", "nsenter"];

/** Why there can be no Docker daemon here, in one sentence; undefined if there can. */
export function dockerProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "a Docker daemon needs root";
  const missing = programs.filter((program) => !searchPath.some((folder) => existsSync(join(folder, program))));
  return missing.length === 0 ? undefined : `there is no ${missing.join(", ")} (Debian: docker.io, busybox-static)`;
}

/** Starts a daemon with `flags` added, and resolves once it answers and has the images. Several at once are fine. */
export async function startDocker(flags: readonly string[] = []): Promise<PrivateDocker> {
  const problem = dockerProblem();
  if (problem !== undefined) throw new Error(problem);
  const folder = mkdtempSync(join(tmpdir(), "ostler-dockerd-"));
  const cgroup = basename(folder);
  const home = await createHome(folder, cgroup);
  const socketPath = join(folder, "docker.sock");
  // What else is started in the home lives here; a config file of the machine's own daemon is not read.
  mkdirSync(join(folder, "tmp"));
  writeFileSync(join(folder, "daemon.json"), "{}");
  const command = [
    ...[
      "env",
      `PATH=${searchPath.join(":")}`,
      `DOCKER_TMPDIR=${join(folder, "tmp")}`,
      "dockerd",
      "--config-file",
      join(folder, "daemon.json"),
    ],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "dockerd.pid")],
    ...["--host", `unix://${socketPath}`, "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", `/${cgroup}`],
    // The home's network is its own: nothing to filter, nowhere to go.
    ...["--iptables=false", "--ip6tables=false", "--ip-masq=false"],
    ...flags,
  ];
  const launch = async (): Promise<{ readonly entered: ChildProcess; readonly pid: number }> => {
    const log = openSync(join(folder, "dockerd.log"), "a");
    const entered = spawnIn(home.pid, command, log);
    await until("dockerd answers", async () => {
      if (hasExited(entered)) throw new Error(`dockerd ended: ${lastLine(join(folder, "dockerd.log"))}`);
      return pingDocker(socketPath);
    });
    return { entered, pid: childOf(entered.pid ?? -1) };
  };
  try {
    let daemon = await launch();
    await importImages(socketPath);
    return {
      socketPath,
      homePid: home.pid,
      pid: () => daemon.pid,
      kill: (signal) => {
        process.kill(daemon.pid, signal);
      },
      restart: async () => {
        await until("the old dockerd is gone", () => hasExited(daemon.entered));
        daemon = await launch();
      },
      remove: home.remove,
    };
  } catch (error) {
    await home.remove();
    throw error;
  }
}

/**
 * Lets the daemon reach a server of this test that listens on a unix socket: the answer is its port on 127.0.0.1 in the daemon's
 * network (a registry there may speak plain HTTP). `close` ends it.
 */
export async function relayToDocker(docker: Docker, socketPath: string): Promise<{ readonly port: number; readonly close: () => void }> {
  const relay = spawnIn(docker.homePid, [process.execPath, join(import.meta.dirname, "fixtures/relay.ts"), socketPath], "pipe");
  if (relay.stdout === null || relay.stdin === null) throw new Error("the relay has no pipes");
  const { stdin } = relay;
  const [line] = await once(relay.stdout, "data");
  return { port: Number(line), close: () => stdin.end() };
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function lastLine(path: string): string {
  return readFileSync(path, "utf8").trim().split("\n").at(-1) ?? "";
}
