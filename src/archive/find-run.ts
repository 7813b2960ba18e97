import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { compileGraph, emptyGraph, type Graph } from "../runs/graph.ts";
import { presentRun } from "../runs/present.ts";
import type { Run } from "../runs/run.ts";
import type { StoredDefinition } from "../runs/stored-definition.ts";
import type { RunView } from "../runs/view.ts";
import type { WaitingContext } from "../runs/waiting-context.ts";
import { readArchivedDefinition } from "./definition-object.ts";
import { isDeleted } from "./delete-run.ts";
import { readLiveRun } from "./live-run.ts";
import { presentLostRun } from "./lost-run.ts";
import { readArchivedRun } from "./run-object.ts";

/** A run, wherever it is kept. `lost`: Redis has forgotten it before it was archived, so only its definition is left. */
export interface FoundRun {
  readonly source: "live" | "archive" | "lost";
  readonly view: RunView;
  /** Secrets sealed. */
  readonly stored: StoredDefinition;
  readonly graph: Graph;
  /** The assignment that a task has right now, of a live run; undefined if none. */
  readonly assignmentOf: (task: string) => string | undefined;
}

export interface FindRunOptions {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly store: Store;
  /** What explains the waiting of a live run besides the run itself. */
  readonly contextOf?: (run: Run) => Promise<WaitingContext>;
}

/** Finds a run: one script asks Redis; only if Redis does not know it, or has its tombstone, ost is asked. Undefined also for a deleted one. */
export async function findRun(options: FindRunOptions, runId: string): Promise<FoundRun | undefined> {
  const { redis, keys, store } = options;
  const reading = await readLiveRun(redis, keys, runId);
  if (reading.type === "live") return liveRun(reading.run, await options.contextOf?.(reading.run));
  const [archived, stored] = await Promise.all([readArchivedRun(store, runId), readArchivedDefinition(store, runId)]);
  if (!stored) return undefined;
  const rest = { stored, assignmentOf: () => undefined };
  if (archived) return { source: "archive", view: archived.run, graph: graphOf(archived.run, stored), ...rest };
  // A tombstone without an archive is that of a deleted run, and the mark may outlive some of its objects.
  if (reading.type === "archived" || (await isDeleted(store, runId))) return undefined;
  const lost = presentLostRun(stored);
  return { source: "lost", ...lost, ...rest };
}

function graphOf(view: RunView, stored: StoredDefinition): Graph {
  return view.phase === "setuperror" ? emptyGraph : compileGraph(stored.definition);
}

function liveRun(run: Run, context: WaitingContext | undefined): FoundRun | undefined {
  if (run.head.deletion) return undefined;
  const { stored, graph } = run;
  const assignmentOf = (task: string) => {
    const index = graph.indexOf(task);
    const state = index === undefined ? undefined : run.tasks[index];
    return state && "assignment" in state ? state.assignment : undefined;
  };
  return { source: "live", view: presentRun(run, context), stored, graph, assignmentOf };
}
