import type { PodEntry, PodOwner } from "../../src/executors/driver.ts";
import { parseAssignmentId } from "../../src/ids.ts";
import type { AttemptOutcome } from "../../src/runs/outcome.ts";
import type { Timeline } from "./timeline.ts";

/** A pod: what runs in it ends by itself, by its removal, or when its executor has not touched it for the fence time. */
export interface Pod {
  readonly id: string;
  readonly owner: PodOwner;
  readonly createdAt: number;
  readonly fenceMs: number;
  /** When its step ends by itself; undefined if none was ever started. */
  readonly endsAt: number | undefined;
  readonly outcome: Pick<AttemptOutcome, "phase" | "reason" | "exitCode">;
  touchedAt: number;
}

/** The pods that one executor group sees. */
export interface Platform {
  readonly group: string;
  /** Repeating it for a pod that is there, or was, does nothing. */
  readonly start: (pod: Pod) => void;
  readonly find: (id: string) => Pod | undefined;
  readonly list: () => readonly PodEntry[];
  readonly remove: (id: string) => void;
  /** The machine goes down, with everything that runs on it. */
  readonly crash: () => void;
}

export interface PlatformOptions {
  readonly group: string;
  readonly timeline: Timeline;
  /** Told when a pod's step begins, with the pods of the same task whose steps run at that moment. */
  readonly onStart: (pod: Pod, beside: readonly Pod[]) => void;
  /** Pods of all groups. */
  readonly all: Map<string, Pod>;
}

export function createPlatform({ group, timeline, onStart, all }: PlatformOptions): Platform {
  const pods = new Map<string, Pod>();
  const started = new Set<string>();
  return {
    group,
    start: (pod) => {
      if (started.has(pod.id)) return;
      started.add(pod.id);
      const beside = [...all.values()].filter((other) => sameTask(other.id, pod.id) && runs(other, timeline.now()));
      pods.set(pod.id, pod);
      all.set(pod.id, pod);
      if (pod.endsAt !== undefined) onStart(pod, beside);
    },
    find: (id) => pods.get(id),
    list: () => [...pods.values()].map(({ id, owner, createdAt }) => ({ id, owner, createdAt })),
    remove: (id) => {
      pods.delete(id);
      all.delete(id);
    },
    crash: () => {
      for (const id of pods.keys()) all.delete(id);
      pods.clear();
    },
  };
}

/** True while the pod's step does something. */
export function runs({ endsAt, touchedAt, fenceMs }: Pod, now: number): boolean {
  return endsAt !== undefined && now < endsAt && now < touchedAt + fenceMs;
}

function sameTask(a: string, b: string): boolean {
  const [first, second] = [parseAssignmentId(a), parseAssignmentId(b)];
  return first !== undefined && second !== undefined && first.runId === second.runId && first.task === second.task;
}
