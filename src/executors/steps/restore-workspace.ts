import { layout } from "../../ost/layout.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { downloadArchive } from "./archives.ts";
import type { StepContext } from "./step-context.ts";
import { StepFault } from "./step-fault.ts";

type RestoreWorkspace = Extract<Step, { type: "restore_workspace" }>;

/** Unpacks the run's source, then what the task's ancestors saved, in level, then name order. */
export async function restoreWorkspace(step: RestoreWorkspace, context: StepContext, signal: AbortSignal): Promise<void> {
  const destDir = step.destDir ?? ".";
  const { source } = context.plan.stored.definition;
  if (source !== undefined) {
    const found = await downloadArchive(context, { key: layout.source(source), destDir }, signal);
    if (!found) throw new StepFault("config", `the run's source ${source} is not there (any more)`);
    await context.log.line("restored the run's source");
  }
  for (const place of context.workspaces) {
    const key = layout.workspace({ ...place, step: String(place.step) });
    const found = await downloadArchive(context, { key, destDir }, signal);
    // It was there when its task succeeded.
    if (!found) throw new StepFault("setup", `the workspace that ${place.task} saved is gone from object storage`);
    await context.log.line(`restored what ${place.task} saved`);
  }
}
