import type { TaskNode } from "./graph.ts";
import { runQueueTimeoutMs, runTimeoutMs } from "./graph.ts";
import type { Run } from "./run.ts";
import type { AttemptStop, TaskState } from "./task.ts";

const minuteMs = 60_000;

/** How long a stop may take beyond its grace; then the attempt ends as `pod_lost`, without proof, and is never retried. */
const stopPatienceMs = 5 * minuteMs;

/**
 * The same for an attempt that timed out. It is retried, so it is worth waiting for the proof that its pod is gone, which for a
 * lost executor without siblings takes two heartbeats' ttl and its fence time of ten minutes. Shorter, and a host that dies
 * while it starts a task would fail it for good; longer, and a pool without executors' actors would hide a hang.
 */
const timeoutPatienceMs = 15 * minuteMs;

/** How long the pool may take to answer what it must answer at once; then it is asked again. */
export const poolPatienceMs = 5 * minuteMs;

/** How long the root group may be late in cancelling a run that has waited too long. */
const queuePatienceMs = 5 * minuteMs;

/** How long a quarantined run is kept for somebody to look at. */
const quarantineMs = 24 * 60 * minuteMs;

/** When (ms) a task must be looked at again; undefined if it waits for its parents or has ended. */
export function taskDeadline(node: TaskNode, task: TaskState): number | undefined {
  switch (task.stage) {
    case "pending":
    case "ended":
      return undefined;
    case "approval":
      return task.since + node.approvalTimeoutMs;
    case "requested":
      // The pool keeps the queue's deadline; this one is for a pool that has forgotten the request.
      return task.withdrawal ? task.withdrawal.at + poolPatienceMs : task.queuedAt + node.queueTimeoutMs + poolPatienceMs;
    case "assigned":
      return task.stop ? stopDeadline(node, task.stop) : task.assignedAt + node.startTimeoutMs;
    case "live":
      return task.stop ? stopDeadline(node, task.stop) : task.startedAt + node.timeoutMs;
    case "backoff":
      return task.until;
  }
}

function stopDeadline(node: TaskNode, stop: AttemptStop): number {
  const isTimeout = stop.why === "timeout" || stop.why === "start_timeout";
  return stop.at + node.stopGraceMs + (isTimeout ? timeoutPatienceMs : stopPatienceMs);
}

/** When (ms) the run itself must be looked at again, whatever its tasks do. */
export function runDeadline({ head, facts, stored }: Pick<Run, "head" | "facts" | "stored">): number | undefined {
  if (head.phase !== "running" && head.phase !== "queued") return undefined;
  if (head.quarantine && !head.stop) return head.quarantine.at + quarantineMs;
  // The root group keeps the queue's deadline; this one is for a root group that has forgotten the run, or cannot be read.
  if (head.phase === "queued") return facts.createdAt + runQueueTimeoutMs(stored.definition) + queuePatienceMs;
  const timeoutMs = runTimeoutMs(stored.definition);
  if (timeoutMs === undefined || head.startedAt === undefined || head.stop || head.timedOut) return undefined;
  return head.startedAt + timeoutMs;
}
