/** What explains waiting besides the run itself. Whoever shows a run gives what it knows; less of it makes a vaguer reason. */
export interface WaitingContext {
  readonly maintenance: boolean;
  /** Where the run stands in its root group; undefined if it has no concurrency key. */
  readonly queue?: QueueSummary;
  readonly pools: Readonly<Record<string, PoolSummary>>;
}

export interface QueueSummary {
  readonly key: string;
  readonly limit: number;
  /** Ids of the runs that hold the key. */
  readonly holders: readonly string[];
  /** From 1; undefined while the root group has not taken note of the run. */
  readonly position: number | undefined;
}

export interface PoolSummary {
  readonly executors: readonly ExecutorSummary[];
  /** Task index -> position in the pool's backlog, from 1, of this run's tasks. */
  readonly positions: Readonly<Record<number, number>>;
}

export interface ExecutorSummary {
  readonly id: string;
  readonly life: "active" | "cordoned" | "suspect" | "lost";
  readonly archs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly allowPrivileged: boolean;
  /** How many tasks it is given at once: fewer than its limit after failures. */
  readonly slots: number;
  /** Its last tasks failed for reasons of the platform, so it gets one at a time. */
  readonly careful: boolean;
  readonly liveAssignments: number;
}

/** When nothing besides the run is known. */
export const unknownContext: WaitingContext = { maintenance: false, pools: {} };
