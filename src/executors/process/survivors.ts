import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findProcess, lookAtProcesses, type ProcessEntry, parseStat } from "../processes.ts";

/** The environment entry by which every process of a pod is known, however it left the step's session. */
export const markName = "OSTLER_POD";

/** Between looks, growing: what ignores SIGKILL (another user's process, a hanging file system) must not cost a core. */
const firstLookMs = 5;
const maxLookMs = 1_000;

/** The processes as a supervisor recorded them: step leaders and supervisors of the pod. */
async function recorded(podPath: string, name: (file: string) => boolean): Promise<readonly ProcessEntry[]> {
  const steps = join(podPath, "steps");
  const entries: ProcessEntry[] = [];
  for (const step of await readdir(steps).catch(() => [])) {
    for (const file of await readdir(join(steps, step)).catch(() => [])) {
      const text = name(file) ? await readFile(join(steps, step, file), "latin1").catch(() => "") : "";
      const entry = parseStat(text) ?? entryByPid(text);
      if (entry) entries.push(entry);
    }
  }
  return entries;
}

/** Where there is no /proc, supervisors record a bare pid. */
function entryByPid(text: string): ProcessEntry | undefined {
  return /^\d+\s*$/.test(text) ? findProcess(Number(text)) : undefined;
}

const isLeaderFile = (file: string) => file === "pid" || file.startsWith("exit.");

/**
 * What runs of a pod: everything that carries its mark, is in the session of one of its steps, or descends from such a process.
 * A session's number is trusted unless it was given anew: to a leader with another start, or before the recorded one began.
 */
export async function findPodProcesses(podId: string, podPath: string): Promise<readonly ProcessEntry[]> {
  const leaders = new Map((await recorded(podPath, isLeaderFile)).map((leader) => [leader.pid, leader]));
  const { entries: all, wasStartedWith } = await lookAtProcesses();
  const byPid = new Map(all.map((entry) => [entry.pid, entry]));
  const inSession = (entry: ProcessEntry) => {
    const leader = leaders.get(entry.session);
    if (!leader || bootOf(leader) !== bootOf(entry) || ticksOf(entry) < ticksOf(leader)) return false;
    const present = byPid.get(leader.pid);
    return present === undefined || present.start === leader.start;
  };
  const mark = `${markName}=${podId}`;
  const found = new Map(all.filter((entry) => inSession(entry) || wasStartedWith(entry.pid, mark)).map((entry) => [entry.pid, entry]));
  for (let grown = true; grown; ) {
    grown = false;
    for (const entry of all) {
      if (found.has(entry.pid) || !found.has(entry.parent)) continue;
      found.set(entry.pid, entry);
      grown = true;
    }
  }
  found.delete(process.pid);
  return [...found.values()];
}

const bootOf = (entry: ProcessEntry) => entry.start.slice(0, entry.start.lastIndexOf("/") + 1);
const ticksOf = (entry: ProcessEntry) => Number(entry.start.slice(entry.start.lastIndexOf("/") + 1)) || 0;

function signal(entry: ProcessEntry, name: NodeJS.Signals): void {
  // Between the look and the signal the pid may have been given anew.
  if (findProcess(entry.pid)?.start !== entry.start) return;
  try {
    process.kill(entry.pid, name);
  } catch {
    // It is gone, or not ours to kill: the next look tells.
  }
}

export interface KillOptions {
  readonly graceMs: number;
  /** Supervisors are spared, so that they record how their steps ended. */
  readonly spareSupervisors: boolean;
  readonly signal: AbortSignal;
}

/** SIGTERM to whatever runs of the pod, after `graceMs` SIGKILL, until nothing is left. */
export async function killPodProcesses(podId: string, podPath: string, options: KillOptions): Promise<void> {
  const supervisors = options.spareSupervisors ? await recorded(podPath, (file) => file === "claim") : [];
  const spared = new Set(supervisors.map(({ pid, start }) => `${pid} ${start}`));
  const spareGroups = new Set(supervisors.map(({ pid }) => pid));
  const running = async () =>
    (await findPodProcesses(podId, podPath)).filter(
      (entry) => !spared.has(`${entry.pid} ${entry.start}`) && !(spareGroups.has(entry.group) && spareGroups.has(entry.session)),
    );
  const killAt = performance.now() + options.graceMs;
  const asked = new Set<number>();
  let lookMs = firstLookMs;
  for (let left = await running(); left.length > 0; left = await running()) {
    const kill = performance.now() >= killAt;
    for (const entry of left) {
      if (kill) signal(entry, "SIGKILL");
      else if (!asked.has(entry.pid)) signal(entry, "SIGTERM");
      asked.add(entry.pid);
    }
    await delay(Math.min(lookMs, Math.max(firstLookMs, killAt - performance.now())), undefined, { signal: options.signal });
    lookMs = Math.min(lookMs * 2, maxLookMs);
  }
}
