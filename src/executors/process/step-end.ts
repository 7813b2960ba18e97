import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StepEnd } from "../driver.ts";
import { hasCode } from "../file-errors.ts";
import { findProcess, parseStat } from "../processes.ts";
import { type PodOnDisk, type PodRecord, podFolder, type StepFolder } from "./pod-folder.ts";

export type StepStatus =
  | { readonly type: "absent" }
  | { readonly type: "running"; readonly startedAt: number }
  | { readonly type: "ended"; readonly end: StepEnd; readonly startedAt: number };

/** What the step's folder says of it. `childGone`: the supervisor that the caller itself started for it has exited. */
export async function readStep({ record, path }: PodOnDisk, index: number, childGone: boolean): Promise<StepStatus> {
  const step = podFolder(path).step(index);
  const before = await readExit(step);
  if (before) return before;
  const claim = await statIfThere(step.claim);
  if (!claim) {
    if ((await statIfThere(path)) === undefined) return ended(0, { reason: "pod_lost", message: "the pod was removed" });
    return childGone ? ended(0, { reason: "setup", message: "the step could not be started: is the disk full?" }) : { type: "absent" };
  }
  if (await supervisorRuns(step)) return { type: "running", startedAt: Math.floor(claim.mtimeMs) };
  // The supervisor may have recorded the end between the first look and its exit.
  return (await readExit(step)) ?? ended(claim.mtimeMs, await whyUnrecorded(record, step));
}

async function readExit(step: StepFolder): Promise<StepStatus | undefined> {
  const name = (await readdir(step.path).catch(() => [])).find((file) => file.startsWith("exit."));
  if (name === undefined) return undefined;
  const found = await statIfThere(join(step.path, name));
  const expired = await statIfThere(step.expired);
  if (!found) return undefined;
  if (expired) return ended(found.mtimeMs, { reason: "executor_lost", message: leaseEnded });
  // Written when the step began, renamed when it ended.
  const [startedAt, finishedAt] = [Math.floor(found.mtimeMs), Math.floor(found.ctimeMs)];
  return { type: "ended", startedAt, end: { type: "exited", exitCode: Number(name.slice("exit.".length)), startedAt, finishedAt } };
}

const leaseEnded = "the pod's time ran out while its executor was away";

/** Whether whoever claimed the step lives: that need not be the caller's own child, which gives up if the step is claimed. */
async function supervisorRuns(step: StepFolder): Promise<boolean> {
  const text = await readFile(step.claim, "latin1").catch(() => "");
  const recorded = parseStat(text);
  return recorded ? findProcess(recorded.pid)?.start === recorded.start : findProcess(Number.parseInt(text, 10)) !== undefined;
}

async function whyUnrecorded(
  pod: PodRecord,
  step: StepFolder,
): Promise<{ reason: "timeout" | "executor_lost" | "pod_lost"; message: string }> {
  if (await statIfThere(step.expired)) {
    if (Date.now() >= pod.deadlineAt) return { reason: "timeout", message: "the pod's deadline has passed" };
    return { reason: "executor_lost", message: leaseEnded };
  }
  return { reason: "pod_lost", message: "the step's supervisor died: was it killed, or the host restarted?" };
}

function ended(startedAt: number, gone: Omit<Extract<StepEnd, { type: "gone" }>, "type">): StepStatus {
  return { type: "ended", startedAt: Math.floor(startedAt), end: { type: "gone", ...gone } };
}

async function statIfThere(path: string): Promise<{ readonly mtimeMs: number; readonly ctimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
