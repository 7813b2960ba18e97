import type { WorkspacePlace } from "./steps/step-context.ts";

/** What a task is handed by its ancestors. */
export interface AttemptInputs {
  /** `OSTLER_OUTPUT_<TASK>_<KEY>` -> value. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly workspaces: readonly WorkspacePlace[];
}

export const noInputs: AttemptInputs = { outputs: {}, workspaces: [] };
