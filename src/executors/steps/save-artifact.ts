import { layout } from "../../ost/layout.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { packedContents, uploadArchive } from "./archives.ts";
import type { StepContext } from "./step-context.ts";

type SaveArtifact = Extract<Step, { type: "save_artifact" }>;

/** Saves files under a name that people fetch; paths in it are relative to `sourceDir`. */
export async function saveArtifact(step: SaveArtifact, context: StepContext, signal: AbortSignal): Promise<void> {
  const { plan, node, attempt } = context;
  const key = layout.artifact({ runId: plan.runId, task: node.name, attempt }, step.name);
  const contents = packedContents([{ sourceDir: step.sourceDir ?? ".", destDir: ".", paths: step.paths }]);
  const stored = await uploadArchive(context, { key, label: { kind: "artifact", name: step.name }, contents }, signal);
  if (!stored) await context.log.line(`artifact ${step.name} was saved before and stays as it is`);
}
