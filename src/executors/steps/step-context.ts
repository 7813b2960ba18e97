import type { Store } from "../../ost/store.ts";
import type { TaskNode } from "../../runs/graph.ts";
import type { WorkspaceArchive } from "../../runs/inputs.ts";
import type { PodHandle } from "../driver.ts";
import type { RunPlan } from "../run-plan.ts";
import type { StepLog } from "../step-log.ts";

/** What a step is given to work with. */
export interface StepContext {
  readonly plan: RunPlan;
  readonly node: TaskNode;
  readonly attempt: number;
  readonly index: number;
  readonly pod: PodHandle;
  /** The task's; paths of archives are relative to it. */
  readonly workingDir: string;
  /** All that a command of this step would see, but what the image sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the task's ancestors saved, in the order in which it is unpacked. */
  readonly workspaces: readonly WorkspaceArchive[];
  readonly log: StepLog;
  readonly store: Store;
  /** Redis's clock (ms). */
  readonly now: () => number;
}

/** How a step ended by itself; times in ms by the clock of the pod's host, absent for steps that the executor itself does. */
export interface StepEnded {
  readonly exitCode?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}
