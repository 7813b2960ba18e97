import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PodError, type PodHandle, type StepEnd, type StepSpec } from "../driver.ts";
import { hasCode } from "../file-errors.ts";
import { localFiles, resolvePath } from "../local-files.ts";
import { makeFolder } from "../make-folder.ts";
import { installSupervisor } from "./install-supervisor.ts";
import { type PodOnDisk, podFolder, writeLease } from "./pod-folder.ts";
import { readStep } from "./step-end.ts";
import { killPodProcesses, markName } from "./survivors.ts";

export interface ProcessHost {
  /** The only variables of the server's own environment that steps see. */
  readonly environment: Readonly<Record<string, string>>;
  readonly arch: string;
  /** Path of the program that starts a session; "" where there is none. */
  readonly setsid: string;
  /** Where the pods' folders are. */
  readonly pods: string;
}

/** A supervisor looks at its lease this often, at most: a lease may end so much later. */
const maxLookSeconds = 5;
const graceSeconds = 10;
const readBytes = 64 * 1024;
const claimWithinMs = 60_000;
const firstPollMs = 20;
const maxPollMs = 400;

/** A pod of the process driver that is there. */
export function createPodHandle(host: ProcessHost, pod: PodOnDisk, remarks: readonly string[]): PodHandle {
  const { path, record } = pod;
  const folder = podFolder(path);
  const supervisors = new Map<number, ChildProcess>();
  const childGone = (index: number) => {
    const child = supervisors.get(index);
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
  };
  const status = (index: number) => readStep(pod, index, childGone(index));

  /** Resolves when the step may have ended, or after `ms`. */
  const pause = async (index: number, ms: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    const child = supervisors.get(index);
    if (!child || childGone(index)) {
      await delay(ms, undefined, { signal });
      return;
    }
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const wake = () => over.abort();
    child.once("exit", wake);
    await delay(ms, undefined, { signal: stop }).catch(() => {});
    child.off("exit", wake);
    signal.throwIfAborted();
  };

  const waitStep = async (index: number, signal: AbortSignal): Promise<StepEnd> => {
    for (let ms = firstPollMs; ; ms = Math.min(ms * 2, maxPollMs)) {
      const now = await status(index);
      if (now.type === "ended") return now.end;
      await pause(index, ms, signal);
    }
  };

  return {
    id: record.id,
    createdAt: record.createdAt,
    arch: host.arch,
    os: process.platform,
    remarks,
    outputFile: folder.outputFile,
    files: localFiles(folder.home),
    startedSteps: async () => {
      const names = await readdir(join(path, "steps")).catch((error: unknown) => {
        if (hasCode(error, "ENOENT", "ENOTDIR")) return [];
        throw error;
      });
      const indexes = names.map(Number).sort((a, b) => a - b);
      const all = await Promise.all(indexes.map(async (index) => ({ index, step: await readStep(pod, index, false) })));
      return all.flatMap(({ index, step }) => (step.type === "absent" ? [] : [{ index, startedAt: step.startedAt }]));
    },
    startStep: async (step, signal) => {
      signal.throwIfAborted();
      if ((await readStep(pod, step.index, false)).type !== "absent") return;
      const child = await launch(host, pod, step);
      supervisors.set(step.index, child);
      // Started means claimed: from then on a successor finds the step, and nobody starts it again.
      const giveUpAt = performance.now() + claimWithinMs;
      for (let ms = 1; (await status(step.index)).type === "absent"; ms = Math.min(ms * 2, maxPollMs)) {
        if (performance.now() >= giveUpAt) child.kill("SIGKILL");
        await pause(step.index, ms, signal);
      }
    },
    waitStep,
    followOutput: async function* (index, offset, signal) {
      let position = offset;
      // What daemons of the step write after its end belongs to no log: only what was there is read.
      let end: number | undefined;
      const file = await openIfThere(folder.step(index).output);
      if (!file) return;
      try {
        for (let ms = firstPollMs; end === undefined || position < end; ) {
          signal.throwIfAborted();
          const buffer = Buffer.allocUnsafe(Math.min(readBytes, (end ?? Number.MAX_SAFE_INTEGER) - position));
          const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
          if (bytesRead > 0) {
            position += bytesRead;
            ms = firstPollMs;
            yield buffer.subarray(0, bytesRead);
          } else if ((await status(index)).type === "ended") {
            end = (await file.stat()).size;
          } else {
            await pause(index, ms, signal);
            ms = Math.min(ms * 2, maxPollMs);
          }
        }
      } finally {
        await file.close();
      }
    },
    followService: async function* () {},
    stopStep: async (index, graceMs, signal) => {
      const killAt = performance.now() + graceMs;
      // Again and again: a supervisor that has only just claimed the step may start its process after a look.
      for (let ms = firstPollMs; ; ms = Math.min(ms * 2, maxPollMs)) {
        const leftMs = Math.max(0, killAt - performance.now());
        await killPodProcesses(record.id, path, { graceMs: leftMs, spareSupervisors: true, signal });
        if ((await status(index)).type !== "running") return;
        await pause(index, ms, signal);
      }
    },
    touch: (at) => {
      const until = Math.min(at + record.fenceMs, record.deadlineAt);
      return writeLease(folder, { startBy: until, until });
    },
  };
}

/** Starts the step's supervisor. Which of several supervisors runs the step is decided by its claim. */
async function launch(host: ProcessHost, { path, record }: PodOnDisk, step: StepSpec): Promise<ChildProcess> {
  const folder = podFolder(path);
  const files = folder.step(step.index);
  await makeStepFolder(files.path);
  await writeFile(files.script, step.command, { mode: 0o600 });
  const workingDir = resolvePath(folder.home, "~", step.workingDir);
  await makeWorkingDir(workingDir);
  const supervisor = await installSupervisor(host.pods);
  const output = await open(files.output, "a", 0o600);
  try {
    const look = Math.max(1, Math.min(maxLookSeconds, Math.floor(record.fenceMs / 4_000)));
    const child = spawn(
      "/bin/sh",
      [...[supervisor, files.path, folder.lease, host.setsid], ...[String(look), String(graceSeconds)], ...step.shell, files.script],
      {
        cwd: workingDir,
        env: { ...host.environment, HOME: folder.home, ...step.environment, [markName]: record.id },
        stdio: ["ignore", output.fd, output.fd],
        detached: true,
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child;
  } finally {
    await output.close();
  }
}

/** Fails in a pod that was removed: its folder must not come back. */
async function makeStepFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) throw new PodError("pod_lost", "the pod was removed", { cause: error });
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

async function makeWorkingDir(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    if (!hasCode(error, "EACCES", "EEXIST", "ENOENT", "ENOTDIR", "EROFS", "EPERM")) throw error;
    throw new PodError("config", `the working directory ${path} cannot be made: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
