import { layout } from "../../ost/layout.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { packedContents, uploadArchive } from "./archives.ts";
import type { StepContext } from "./step-context.ts";

type SaveToWorkspace = Extract<Step, { type: "save_to_workspace" }>;

/** Saves files for the task's descendants. A repeat after a crash finds the archive there, and is done. */
export async function saveToWorkspace(step: SaveToWorkspace, context: StepContext, signal: AbortSignal): Promise<void> {
  const { plan, node, attempt, index } = context;
  const key = layout.workspace({ runId: plan.runId, task: node.name, attempt, step: String(index) });
  const label = { kind: "workspace", name: node.name } as const;
  await uploadArchive(context, { key, label, contents: packedContents(step.contents) }, signal);
}
