import { parseRunId } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { readRun } from "../redis/scripts/read-run.ts";
import { parseRunHash } from "../runs/facts.ts";
import type { TaskNode } from "../runs/graph.ts";
import { ancestorsOf, type TaskInputs, taskInputs } from "../runs/inputs.ts";
import { openRun } from "../runs/open-run.ts";
import { decodeTaskText, maxInlineTasks } from "../runs/record.ts";
import { pending, type TaskState } from "../runs/task.ts";
import type { RunPlan } from "./run-plan.ts";

const noInputs: TaskInputs = { outputs: {}, workspaces: [] };

/** Reads what a task is handed by its ancestors; of a big run only the ancestors are read. */
export function createInputs(redis: RedisConnection, keys: Keys): (plan: RunPlan, node: TaskNode) => Promise<TaskInputs> {
  const live: Live = { redis, keys };
  return async (plan, node) => {
    const { stored, graph } = plan;
    // A task without steps has neither outputs nor a workspace.
    if (!ancestorsOf(graph, node.index).some((index) => (graph.tasks[index]?.definition.steps ?? []).length > 0)) return noInputs;
    const isBig = graph.tasks.length > maxInlineTasks;
    const task = isBig ? await readAncestors(live, plan, node) : await readTasks(live, plan);
    return taskInputs({ graph, stored, task }, node.index);
  };
}

type TaskAt = (index: number) => TaskState;

interface Live {
  readonly redis: RedisConnection;
  readonly keys: Keys;
}

async function readTasks({ redis, keys }: Live, { runId, stored, graph }: RunPlan): Promise<TaskAt> {
  if (!parseRunId(runId)) throw new Error(`not a run id: ${runId}`);
  const reading = await readRun(redis, keys, { runId, definition: false });
  const hash = reading.type === "live" ? parseRunHash(runId, reading.facts) : undefined;
  if (reading.type !== "live" || hash?.type !== "known") throw new Error(`run ${runId} is gone from Redis`);
  const { tasks } = openRun({ stored, graph, facts: hash.facts, state: reading.state, tasks: reading.tasks });
  return (index) => tasks[index] ?? pending;
}

async function readAncestors({ redis, keys }: Live, { runId, stored, graph }: RunPlan, node: TaskNode): Promise<TaskAt> {
  const ancestors = ancestorsOf(graph, node.index);
  const texts = await redis.hmget(keys.runTasks(runId), ...ancestors.map(String));
  const tasks = new Map(ancestors.map((index, at) => [index, decodeTaskText(texts[at] ?? undefined, stored.createdAt)]));
  return (index) => tasks.get(index) ?? pending;
}
