import { assertNever } from "../../errors.ts";
import type { Step } from "../../runs/steps/registry.ts";
import type { Halts } from "../halts.ts";
import { restoreCache } from "./restore-cache.ts";
import { restoreWorkspace } from "./restore-workspace.ts";
import { runCommand } from "./run.ts";
import { saveArtifact } from "./save-artifact.ts";
import { saveCache } from "./save-cache.ts";
import { saveToWorkspace } from "./save-to-workspace.ts";
import type { StepContext, StepEnded } from "./step-context.ts";
import { StepFault } from "./step-fault.ts";

/** Does a step. Throws StepFault or PodError if it cannot succeed; a command's exit code is an answer. */
export async function performStep(step: Step, context: StepContext, halts: Halts): Promise<StepEnded> {
  switch (step.type) {
    case "run":
      return runCommand(step, context, halts);
    case "save_to_workspace":
      return archiveStep(halts, (signal) => saveToWorkspace(step, context, signal));
    case "restore_workspace":
      return archiveStep(halts, (signal) => restoreWorkspace(step, context, signal));
    case "save_cache":
      return archiveStep(halts, (signal) => saveCache(step, context, signal));
    case "restore_cache":
      return archiveStep(halts, (signal) => restoreCache(step, context, signal));
    case "save_artifact":
      return archiveStep(halts, (signal) => saveArtifact(step, context, signal));
    case "unknown":
      throw new StepFault("config", `unknown step type ${step.given}`);
    default:
      return assertNever(step);
  }
}

/** Steps that the executor itself does end as soon as they are interrupted, for whatever reason. */
async function archiveStep({ halt }: Halts, work: (signal: AbortSignal) => Promise<void>): Promise<StepEnded> {
  await work(halt);
  return {};
}
