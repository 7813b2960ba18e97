import type { StoredDefinition } from "../runs/stored-definition.ts";
import type { RunView } from "../runs/view.ts";

/** A run as it is shown, and what it was created from; the same for live and archived runs. */
export interface FoundRun {
  readonly view: RunView;
  /** Secrets sealed. */
  readonly stored: StoredDefinition;
  /** The assignment that a task has right now, of a live run; undefined if none. */
  readonly assignmentOf: (task: string) => string | undefined;
}

/** Undefined for a run that does not exist, or was deleted. The id must be well-formed. */
export type FindRun = (runId: string) => Promise<FoundRun | undefined>;
