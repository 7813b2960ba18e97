import { z } from "zod";
import { RunView } from "./view.ts";

/**
 * `runs/<id>/run.json` in ost: the run as it ended. With `definition.json` it is enough to show, restart or import the run:
 * a task's outputs, attempt number and `reusedFrom` say where its logs, artifacts and workspace archives are.
 */
export const ArchivedRun = z.object({
  version: z.literal(1),
  run: RunView,
});
export type ArchivedRun = z.infer<typeof ArchivedRun>;
