import { assertNever } from "../errors.ts";
import type { TaskNode } from "./graph.ts";
import type { Run } from "./run.ts";
import { isTerminalPhase, isTerminalStatus } from "./states.ts";
import { type Assigned, isActive, type Live, statusOf } from "./task.ts";
import { timeOf } from "./time.ts";
import type { WaitingReason } from "./view.ts";
import type { WaitingContext } from "./waiting-context.ts";
import { waitingForExecutor } from "./waiting-for-executor.ts";

/** A message that names more is no longer read. */
const maxNames = 5;

/** Why a run has no running pod; null if it has one, or has ended. Derived when read, never stored. */
export function whyRunWaits(run: Run, context: WaitingContext): WaitingReason | null {
  const { head, graph } = run;
  if (isTerminalPhase(head.phase)) return null;
  if (head.phase === "queued") return whyQueued(context);
  if (run.tasks.some((task) => task.stage === "live")) return null;
  const index = run.tasks.findIndex(isActive);
  const node = graph.tasks[index];
  const reason = node && whyTaskWaits(run, node, context);
  if (!reason) return { type: "starting", message: "nothing has been decided yet" };
  return { ...reason, message: `task "${node.name}": ${reason.message}` };
}

function whyQueued({ maintenance, queue }: WaitingContext): WaitingReason {
  if (maintenance) return { type: "maintenance", message: "the installation is in maintenance: no run starts until it is switched off" };
  if (!queue || queue.holders.length < queue.limit) return { type: "starting", message: "is about to start" };
  const { key, holders, position } = queue;
  const place = position === undefined ? "" : `, position ${position} in its queue`;
  const message = `the concurrency key "${key}" (at most ${queue.limit}) is held by ${listed(holders)}${place}`;
  return { type: "concurrency", message, key, holders: [...holders], position: position ?? null };
}

/** Why a task has no running pod; null if it has one, or has ended. */
export function whyTaskWaits(run: Run, node: TaskNode, context: WaitingContext): WaitingReason | null {
  const task = run.tasks[node.index];
  if (!task || task.stage === "ended" || isTerminalPhase(run.head.phase)) return null;
  if (run.head.phase === "queued") return whyQueued(context);
  switch (task.stage) {
    case "pending":
      return whyPending(run, node);
    case "approval":
      return { type: "approval", message: `waits for an approval since ${timeOf(task.since)}` };
    case "requested":
      if (task.withdrawal) return { type: "starting", message: `is being taken back from pool "${node.pool}"` };
      return waitingForExecutor(node, Object.hasOwn(context.pools, node.pool) ? context.pools[node.pool] : undefined);
    case "assigned":
    case "live":
      return whyPodWaits(node, task, context);
    case "backoff": {
      const until = timeOf(task.until);
      return { type: "backoff", message: `attempt ${task.attempts.length} failed, the next begins at ${until}`, until };
    }
    default:
      return assertNever(task);
  }
}

function whyPending({ graph, tasks, head }: Run, node: TaskNode): WaitingReason {
  if (head.quarantine) return { type: "starting", message: `the run is put aside: ${head.quarantine.why}` };
  const open = node.parents.filter(({ index }) => !isTerminalStatus(statusOf(tasks[index] ?? { stage: "pending" })));
  if (open.length === 0) return { type: "starting", message: "nothing has been decided yet" };
  const names = open.map(({ index }) => graph.tasks[index]?.name ?? "");
  return { type: "dependency", message: `waits for ${listed(names)}`, tasks: names };
}

function whyPodWaits(node: TaskNode, task: Assigned | Live, { pools }: WaitingContext): WaitingReason | null {
  const pool = Object.hasOwn(pools, node.pool) ? pools[node.pool] : undefined;
  const life = pool?.executors.find(({ id }) => id === task.executor)?.life;
  if (life === "suspect" || life === "lost") {
    const what = life === "lost" ? "is lost: the other members of its group remove its pods, then the task goes on" : "does not answer";
    return { type: "executor_lost", message: `executor ${task.executor} ${what}`, executorId: task.executor };
  }
  if (task.stage === "live") return null;
  if (task.stop) return { type: "pod_pending", message: `executor ${task.executor} has been told to stop it` };
  return { type: "pod_pending", message: task.message ?? `executor ${task.executor} starts its pod` };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).join(", ");
  return names.length > maxNames ? `${shown} and ${names.length - maxNames} more` : shown;
}
