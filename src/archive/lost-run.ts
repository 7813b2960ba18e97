import { rootOf } from "../ids.ts";
import { checkDefinition, setupErrorsOf } from "../runs/check-definition.ts";
import { compileGraph, emptyGraph, type Graph } from "../runs/graph.ts";
import { presentRun } from "../runs/present.ts";
import { newRun, type Run } from "../runs/run.ts";
import type { StoredDefinition } from "../runs/stored-definition.ts";
import type { TaskState } from "../runs/task.ts";
import type { RunView } from "../runs/view.ts";

/**
 * A run whose state Redis has lost before it was archived: `failed`, reason `state_lost`, with its tasks skipped but those
 * that a restart had kept. Nobody knows when it ended. It can be restarted.
 */
export function presentLostRun(stored: StoredDefinition): { readonly view: RunView; readonly graph: Graph } {
  const { definition, group, createdAt, number = 0 } = stored;
  const setupErrors = [...setupErrorsOf(definition, checkDefinition(definition, { allowPod: true }))];
  const facts = { id: stored.runId, number, group, name: definition.name, createdAt, root: rootOf(group) };
  if (setupErrors.length > 0) {
    const run = newRun({ stored, facts: { ...facts, phase: "setuperror", setupErrors }, graph: emptyGraph });
    return { view: { ...presentRun(run), archived: true }, graph: emptyGraph };
  }
  const graph = compileGraph(definition);
  const tasks = graph.tasks.map(({ name }): TaskState => {
    const kept = stored.restart?.kept[name];
    if (kept) return { stage: "ended", status: "success", finishedAt: kept.finishedAt, attempts: [], kept: true };
    return { stage: "ended", status: "skipped", finishedAt: createdAt, attempts: [], skip: { type: "stopped" } };
  });
  const head: Run["head"] = { created: true, phase: "finished", result: "failed", reason: "state_lost", seq: 1 };
  const view = presentRun({ stored, facts: { ...facts, phase: "queued" }, graph, head, tasks });
  return { view: { ...view, archived: true, tasks: withoutEnds(view.tasks) }, graph };
}

function withoutEnds(tasks: RunView["tasks"]): RunView["tasks"] {
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, task.reusedFrom ? task : { ...task, finishedAt: null }]));
}
