import type { Logger } from "pino";
import type { LogOutlets } from "../ost/finish-log.ts";
import { layout } from "../ost/layout.ts";
import { presentRun } from "../runs/present.ts";
import type { Run } from "../runs/run.ts";
import { completeLogs } from "./complete-logs.ts";
import { writeDefinition } from "./definition-object.ts";
import { purgeRun } from "./delete-run.ts";
import { writeEvents } from "./events-object.ts";
import { writeRun } from "./run-object.ts";

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
  const outcome = await writeRun(store, completed.view);
  if (outcome === "different") log.error({ runId }, "a different archive of this run exists already; it stays as it is");
  // A deletion at the same time has looked before these objects were there.
  if (await store.stat(layout.runDeleted(runId))) await purgeRun(store, runId);
  return true;
}
