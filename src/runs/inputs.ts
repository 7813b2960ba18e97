import { outputName } from "./check-outputs.ts";
import type { Graph } from "./graph.ts";
import type { StoredDefinition } from "./stored-definition.ts";
import { attemptNumber, type TaskState } from "./task.ts";

/** A workspace archive by what names it in object storage. */
export interface WorkspaceArchive {
  readonly runId: string;
  readonly task: string;
  readonly attempt: number;
  readonly step: number;
}

export interface TaskInputs {
  /** `OSTLER_OUTPUT_<TASK>_<KEY>` -> value. Where two have the same name, the later ancestor's counts. */
  readonly outputs: Readonly<Record<string, string>>;
  /** In the order in which they are unpacked. */
  readonly workspaces: readonly WorkspaceArchive[];
}

/** What the inputs of a task are taken from: whoever reads a big run needs the states of `ancestorsOf` only. */
export interface InputSource {
  readonly graph: Graph;
  readonly stored: Pick<StoredDefinition, "runId" | "restart">;
  readonly task: (index: number) => TaskState;
}

/** All ancestors of a task, by level, then name. */
export function ancestorsOf(graph: Graph, task: number): readonly number[] {
  const seen = new Set<number>();
  const stack = [task];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    for (const { index } of graph.tasks[at]?.parents ?? []) {
      if (seen.has(index)) continue;
      seen.add(index);
      stack.push(index);
    }
  }
  return [...seen].sort((a, b) => a - b);
}

/** What a task receives of its ancestors. One that was skipped, or failed before it saved anything, is simply absent. */
export function taskInputs(source: InputSource, task: number): TaskInputs {
  const outputs: Record<string, string> = {};
  const workspaces: WorkspaceArchive[] = [];
  for (const ancestor of ancestorsOf(source.graph, task)) {
    const result = resultOfAncestor(source, ancestor);
    for (const [key, value] of Object.entries(result.outputs)) outputs[outputVariable(result.task, key)] = value;
    for (const step of result.savedSteps) workspaces.push({ runId: result.runId, task: result.task, attempt: result.attempt, step });
  }
  return { outputs, workspaces };
}

export function outputVariable(task: string, key: string): string {
  return `OSTLER_OUTPUT_${outputName(task)}_${outputName(key)}`;
}

function resultOfAncestor({ graph, stored, task: taskAt }: InputSource, index: number) {
  const node = graph.tasks[index];
  const state = taskAt(index);
  const name = node?.name ?? "";
  const kept = state.stage === "ended" && state.kept ? stored.restart?.kept[name] : undefined;
  const attempts = "attempts" in state ? state.attempts : [];
  const progress = kept ? kept.steps : attempts.at(-1)?.steps;
  const steps = node?.definition.steps ?? [];
  const hasSaved = (step: number) => steps[step]?.type === "save_to_workspace" && progress?.[step]?.phase === "success";
  return {
    task: name,
    runId: kept?.runId ?? stored.runId,
    attempt: kept?.attempt ?? attemptNumber(state),
    outputs: kept?.outputs ?? (state.stage === "ended" ? state.outputs : undefined) ?? {},
    savedSteps: [...steps.keys()].filter(hasSaved),
  };
}
