import type { Requirement, TaskNode } from "./graph.ts";
import type { Unmet, WaitingReason } from "./view.ts";
import type { ExecutorSummary, PoolSummary } from "./waiting-context.ts";

/** Why a task that its pool has been asked for has no executor yet. */
export function waitingForExecutor(node: TaskNode, pool: PoolSummary | undefined): WaitingReason {
  if (!pool) return { type: "starting", message: `waits for an executor of pool "${node.pool}"` };
  const [first] = pool.executors;
  if (!first) {
    const message = `pool "${node.pool}" has no executor: start one with OSTLER_EXECUTOR_POOL=${node.pool}`;
    return { type: "no_executor", message, unmet: [{ kind: "pool", name: node.pool, value: null }] };
  }
  const fitting = pool.executors.filter((executor) => findUnmet(node.requirement, executor).length === 0);
  if (fitting.length === 0) return noExecutor(node, pool.executors);
  const active = fitting.filter(({ life }) => life === "active");
  if (active.length === 0) {
    const states = fitting.map(({ id, life }) => `${id} is ${life}`).join(", ");
    return { type: "no_executor", message: `no executor of pool "${node.pool}" takes new tasks: ${states}`, unmet: [] };
  }
  return executorsFull(node, { active, position: pool.positions[node.index] });
}

/** What the executor that comes nearest does not offer. */
function noExecutor(node: TaskNode, executors: readonly ExecutorSummary[]): WaitingReason {
  const lacks = executors.map((executor) => findUnmet(node.requirement, executor)).sort((a, b) => a.length - b.length);
  const unmet = lacks[0] ?? [];
  return {
    type: "no_executor",
    message: `no executor of pool "${node.pool}" offers ${unmet.map(describe).join(" and ")}`,
    unmet: [...unmet],
  };
}

function executorsFull(
  node: TaskNode,
  { active, position }: { readonly active: readonly ExecutorSummary[]; readonly position: number | undefined },
): WaitingReason {
  const busy = active.reduce((sum, { liveAssignments }) => sum + liveAssignments, 0);
  const limit = active.reduce((sum, { slots }) => sum + slots, 0);
  if (active.some(({ liveAssignments, slots }) => liveAssignments < slots))
    return { type: "starting", message: `is about to be given to an executor of pool "${node.pool}"` };
  const place = position === undefined ? "" : `, position ${position} in the queue`;
  const careful = active.filter((executor) => executor.careful).map(({ id }) => id);
  const why =
    careful.length === 0 ? "" : ` (one task at a time on ${careful.join(", ")}, where the last ones failed for reasons of the platform)`;
  const message = `all ${limit} slots of the ${active.length} fitting executors of pool "${node.pool}" are taken${place}${why}`;
  return { type: "executors_full", message, busy, limit, position: position ?? null };
}

function findUnmet({ arch, labels = {}, privileged = false }: Requirement, executor: ExecutorSummary): readonly Unmet[] {
  const unmet: Unmet[] = [];
  if (arch !== undefined && !executor.archs.includes(arch)) unmet.push({ kind: "arch", name: "arch", value: arch });
  for (const [name, value] of Object.entries(labels)) {
    if (!Object.hasOwn(executor.labels, name) || executor.labels[name] !== value) unmet.push({ kind: "label", name, value });
  }
  if (privileged && !executor.allowPrivileged) unmet.push({ kind: "privileged", name: "privileged", value: null });
  return unmet;
}

function describe({ kind, name, value }: Unmet): string {
  switch (kind) {
    case "label":
      return `the label ${name}=${value}`;
    case "arch":
      return `the architecture ${value}`;
    case "privileged":
      return "privileged containers";
    case "pool":
      return `the pool ${name}`;
  }
}
