import type { RunFacts } from "./facts.ts";
import { compileGraph, emptyGraph, type Graph } from "./graph.ts";
import { decodeRun } from "./record.ts";
import { newRun, type Run } from "./run.ts";
import type { StoredDefinition } from "./stored-definition.ts";

/** A run as Redis holds it. */
export interface RunSource {
  readonly stored: StoredDefinition;
  readonly facts: RunFacts;
  /** Null until the run's actor has taken note of it. */
  readonly state: string | null;
  /** Task index -> record, of a run that keeps its tasks apart. */
  readonly tasks: Readonly<Record<string, string>>;
  /** `graphOf` of the definition, where the caller keeps it: it never changes, and costs more than all the rest. */
  readonly graph?: Graph;
}

/** The run that Redis holds; throws if what it holds cannot be read. */
export function openRun({ stored, facts, state, tasks, graph = graphOf({ stored, facts }) }: RunSource): Run {
  const given = { stored, facts, graph };
  return state === null ? newRun(given) : decodeRun(given, state, tasks);
}

/** A run with setup errors has no tasks, whatever its definition says. */
export function graphOf({ stored, facts }: Pick<RunSource, "stored" | "facts">): Graph {
  return facts.phase === "setuperror" ? emptyGraph : compileGraph(stored.definition);
}
