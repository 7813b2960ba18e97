import { isCondition } from "./conditions.ts";
import type { Condition, Definition, TaskDefinition } from "./definition.ts";
import { durationMs } from "./duration.ts";
import { type Topology, topologyOf } from "./topology.ts";

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export interface Parent {
  readonly index: number;
  readonly conditions: readonly Condition[];
}

/** What an executor must offer to be given a task. */
export interface Requirement {
  readonly arch?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly privileged?: boolean;
}

export interface Backoff {
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** A task of a compiled run, with every default applied. Times in ms. */
export interface TaskNode {
  readonly index: number;
  readonly name: string;
  readonly level: number;
  /** By index, ascending. */
  readonly parents: readonly Parent[];
  /** Indexes, ascending. */
  readonly children: readonly number[];
  readonly definition: TaskDefinition;
  readonly pool: string;
  readonly requirement: Requirement;
  /** True if some parent is followed whatever becomes of it: such a task still runs in a run that is stopping. */
  readonly hasAlways: boolean;
  readonly needsApproval: boolean;
  readonly ignoreFailure: boolean;
  readonly timeoutMs: number;
  readonly queueTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly approvalTimeoutMs: number;
  readonly retryLimit: number;
  readonly infraRetryLimit: number;
  readonly backoff: Backoff;
}

/** A run's tasks by level, then name (code-unit order). The position in `tasks` is the task's index everywhere. */
export interface Graph {
  readonly tasks: readonly TaskNode[];
  readonly indexOf: (name: string) => number | undefined;
}

/** What retries wait without a back-off of their own, and what infrastructure retries always do. */
export const defaultBackoff: Backoff = { baseMs: secondMs, factor: 2, maxMs: 5 * minuteMs };

export const emptyGraph: Graph = { tasks: [], indexOf: () => undefined };

/** The graph of a definition that `checkDefinition` has no fault to find with; throws on one that cannot work. */
export function compileGraph(definition: Definition): Graph {
  const topology = topologyOf(definition.tasks);
  if (topology.order.length !== topology.names.length) throw new Error("the tasks depend on each other in a cycle");
  const byLevel = [...topology.order].sort((a, b) => (topology.levels[a] ?? 0) - (topology.levels[b] ?? 0) || a - b);
  const indexes: number[] = [];
  for (const [index, position] of byLevel.entries()) indexes[position] = index;
  const tasks = byLevel.map((position) => compileTask(definition, { topology, indexes, position }));
  return {
    tasks,
    indexOf: (name) => {
      const position = topology.positions.get(name);
      return position === undefined ? undefined : indexes[position];
    },
  };
}

interface Place {
  readonly topology: Topology;
  /** Position in the topology -> index in the graph. */
  readonly indexes: readonly number[];
  readonly position: number;
}

function compileTask(definition: Definition, { topology, indexes, position }: Place): TaskNode {
  const name = topology.names[position] ?? "";
  const task = definition.tasks[name];
  if (!task) throw new Error(`no such task: ${name}`);
  const parents = Object.entries(task.depends ?? {}).map(([parent, conditions]) =>
    compileParent(parent, conditions, { topology, indexes, position }),
  );
  return {
    index: indexes[position] ?? 0,
    name,
    level: topology.levels[position] ?? 0,
    parents: parents.sort((a, b) => a.index - b.index),
    children: (topology.children[position] ?? []).map((child) => indexes[child] ?? 0).sort((a, b) => a - b),
    definition: task,
    pool: task.pool ?? "default",
    requirement: requirementOf(task),
    hasAlways: parents.some((parent) => parent.conditions.includes("always")),
    needsApproval: task.needsApproval ?? false,
    ignoreFailure: task.ignoreFailure ?? false,
    timeoutMs: durationMs(task.timeout, dayMs),
    queueTimeoutMs: durationMs(task.queueTimeout, dayMs),
    startTimeoutMs: durationMs(task.startTimeout, 5 * minuteMs),
    stopGraceMs: durationMs(task.stopGrace, 10 * secondMs),
    approvalTimeoutMs: durationMs(task.approvalTimeout, 7 * dayMs),
    retryLimit: task.retry?.limit ?? 0,
    infraRetryLimit: task.infraRetry?.limit ?? 2,
    backoff: backoffOf(task),
  };
}

function compileParent(name: string, conditions: readonly string[], { topology, indexes }: Place): Parent {
  const index = indexes[topology.positions.get(name) ?? -1];
  if (index === undefined) throw new Error(`no such task: ${name}`);
  return { index, conditions: conditions.filter(isCondition) };
}

/** A pod needs an executor that allows privileged ones if any of its containers is. */
function requirementOf(task: TaskDefinition): Requirement {
  const { arch, containers } = task.runtime;
  const labels = task.labels ?? {};
  const privileged = containers.some((container) => container.privileged === true);
  return {
    ...(arch !== undefined && { arch }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(privileged && { privileged }),
  };
}

function backoffOf(task: TaskDefinition): Backoff {
  const backoff = task.retry?.backoff;
  if (!backoff) return defaultBackoff;
  return {
    baseMs: durationMs(backoff.base, defaultBackoff.baseMs),
    factor: backoff.factor ?? defaultBackoff.factor,
    maxMs: durationMs(backoff.max, defaultBackoff.maxMs),
  };
}

/** How long a run may run, in ms; undefined for as long as it takes. */
export function runTimeoutMs(definition: Definition): number | undefined {
  return definition.timeout === undefined ? undefined : durationMs(definition.timeout, 0);
}

/** How long a run may wait in its root group's queue, in ms. */
export function runQueueTimeoutMs(definition: Definition): number {
  return durationMs(definition.queueTimeout, 7 * dayMs);
}
