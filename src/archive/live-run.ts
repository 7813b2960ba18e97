import type { StoredDefinition } from "../runs/stored-definition.ts";
import type { RunView } from "../runs/view.ts";

/** A run as Redis holds it. */
export interface LiveRun {
  readonly view: RunView;
  /** With the run's number, as ost keeps it. */
  readonly stored: StoredDefinition;
  /** A task's index in the run's graph, which assignment ids hold. */
  readonly indexOf: (task: string) => number | undefined;
}
