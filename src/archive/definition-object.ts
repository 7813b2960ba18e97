import { jsonBytes, readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import { StoredDefinition } from "../runs/stored-definition.ts";
import { markUses } from "./uses.ts";

/** Writes a run's definition with its number, if it is not in ost yet. Before it, that the run uses archives of others. */
export async function writeDefinition(store: Store, stored: StoredDefinition): Promise<void> {
  await markUses(store, stored);
  await store.put(layout.definition(stored.runId), jsonBytes(stored), { onlyIfAbsent: true });
}

/** The definition of a run as ost has it; undefined if there is none, or the run was deleted. */
export async function readArchivedDefinition(store: Store, runId: string): Promise<StoredDefinition | undefined> {
  return readJson(store, layout.definition(runId), StoredDefinition);
}
