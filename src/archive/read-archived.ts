import { readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import { ArchivedRun } from "../runs/archived.ts";
import { isDeleted } from "./delete-run.ts";

/** A run as it ended; undefined if it is not archived (yet), or was deleted. */
export async function readArchivedRun(store: Store, runId: string): Promise<ArchivedRun | undefined> {
  const archived = await readJson(store, layout.run(runId), ArchivedRun);
  // A deletion that was interrupted has left the object, but the mark counts.
  return archived && !(await isDeleted(store, runId)) ? archived : undefined;
}
