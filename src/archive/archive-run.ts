import type { Logger } from "pino";
import type { LogOutlets } from "../ost/finish-log.ts";
import { jsonBytes } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { ArchivedRun } from "../runs/archived.ts";
import { presentRun } from "../runs/present.ts";
import type { Run } from "../runs/run.ts";
import { completeLogs } from "./complete-logs.ts";
import { writeDefinition } from "./definition-object.ts";
import { purgeRun } from "./delete-run.ts";
import { writeEvents } from "./events-object.ts";

export interface ArchiveOutlets extends LogOutlets {
  readonly log: Logger;
}

/**
 * Writes an ended run's objects: completes its logs, then definition and events, then `run.json`, which says that all is
 * there. Every step is idempotent: killed anywhere, it is done again from the begin. False if a log is still awaited.
 */
export async function archiveRun(outlets: ArchiveOutlets, run: Run, now: number): Promise<boolean> {
  const { store, log } = outlets;
  const runId = run.facts.id;
  const completed = await completeLogs(outlets, { view: presentRun(run), indexOf: run.graph.indexOf, now });
  if (completed.type === "waiting") return false;
  await Promise.all([writeDefinition(store, run.stored), writeEvents(outlets, runId)]);
  const archived: ArchivedRun = { version: 1, run: { ...completed.view, archived: true } };
  const body = jsonBytes(archived);
  if (!(await store.put(layout.run(runId), body, { onlyIfAbsent: true }))) {
    const existing = await store.get(layout.run(runId));
    if (existing && !Buffer.from(existing).equals(body)) {
      log.error({ runId, key: layout.run(runId) }, "a different archive of this run exists already; it stays as it is");
    }
  }
  // A deletion at the same time has looked before these objects were there.
  if (await store.stat(layout.runDeleted(runId))) await purgeRun(store, runId);
  return true;
}
