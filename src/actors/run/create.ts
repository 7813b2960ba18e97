import type { Draft } from "./draft.ts";
import { archiveWork, definitionWork } from "./work.ts";

/**
 * Takes note of a run that the api has created: its definition, or a whole `setuperror` run, is to be written to ost; tasks that a
 * restart keeps, or that are to be skipped, have ended before it starts. Whatever message comes first does this first.
 */
export function create(draft: Draft): void {
  if (draft.head.created) return;
  const { id, phase } = draft.run.facts;
  draft.change({ created: true });
  draft.effect({ type: "record", ...(phase === "setuperror" ? archiveWork(id, draft.now) : definitionWork(id, draft.now)) });
  const kept = draft.run.stored.restart?.kept ?? {};
  for (const { index, name, definition } of draft.graph.tasks) {
    const task = Object.hasOwn(kept, name) ? kept[name] : undefined;
    if (task) draft.set(index, { stage: "ended", status: "success", finishedAt: task.finishedAt, attempts: [], kept: true });
    else if (definition.skip)
      draft.set(index, { stage: "ended", status: "skipped", finishedAt: draft.now, attempts: [], skip: { type: "skip" } });
  }
}

/** The root group lets the run leave the queue. */
export function start(draft: Draft): void {
  const { head, now } = draft;
  if (head.phase !== "queued" || head.quarantine) return;
  draft.change({ startedAt: now });
  draft.move({ phase: "running" });
}
