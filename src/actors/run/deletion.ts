import { isTerminalPhase } from "../../runs/states.ts";
import type { Decision, Effect, Reply } from "../actor.ts";
import type { Draft } from "./draft.ts";
import type { RunMessageOf } from "./messages.ts";
import { accepted, refused } from "./replies.ts";
import type { RunChange } from "./state.ts";
import { archiveWork, definitionWork, deleteWork } from "./work.ts";

const minuteMs = 60_000;

/** How long a run's tombstone outlives its end: a late repeat of whatever concerned it must find something. */
const tombstoneMs = 15 * minuteMs;

/** An ended run is deleted by the archiver, which knows what restarts still use. Repeating it changes nothing. */
export function deleteRun(draft: Draft, { by }: RunMessageOf<"delete">): Reply {
  const { head, now } = draft;
  const { id } = draft.run.facts;
  if (!isTerminalPhase(head.phase))
    return refused("run_not_terminal", `the run is ${head.phase}: ${head.phase === "queued" ? "cancel" : "stop"} it first`);
  if (head.deletion) return accepted;
  draft.change({ deletion: { at: now, by } });
  for (const { id: recorded } of [definitionWork(id), archiveWork(id)]) draft.effect({ type: "unrecord", id: recorded });
  draft.effect({ type: "record", ...deleteWork(id, now) });
  return accepted;
}

/** Marks a task's logs as deleted; the archiver honours it. */
export function deleteLogs(draft: Draft, message: RunMessageOf<"delete-logs">): Reply {
  const { head, graph, run } = draft;
  if (!isTerminalPhase(head.phase)) return refused("run_not_terminal", "logs can be deleted once the run has ended");
  const index = graph.indexOf(message.task);
  if (index === undefined) return refused("task_not_found", `the run has no task "${message.task}"`);
  const task = draft.task(index);
  if (task.stage !== "ended") return refused("run_not_terminal", "logs can be deleted once the run has ended");
  const kept = task.kept && run.stored.restart?.kept[message.task];
  if (kept)
    return refused("conflict", `the logs of "${message.task}" belong to run ${kept.runId}, which this one restarts: delete them there`);
  if (!task.logsDeleted) draft.set(index, { ...task, logsDeleted: true });
  return accepted;
}

/** The archiver has written the run to ost: Redis forgets it, unless it is being deleted. */
export function archived(draft: Draft): Decision<RunChange> {
  const { head, now, run } = draft;
  draft.effect({ type: "unrecord", id: archiveWork(run.facts.id).id });
  if (!isTerminalPhase(head.phase) || head.deletion) return draft.decide();
  return forget(draft, { finishedAt: head.finishedAt ?? now, now });
}

/** The archiver has removed what there was of the run in ost. */
export function deleted(draft: Draft): Decision<RunChange> {
  const { head, now, run } = draft;
  draft.effect({ type: "unrecord", id: deleteWork(run.facts.id).id });
  if (!head.deletion) return draft.decide();
  return forget(draft, { finishedAt: head.finishedAt ?? now, now });
}

function forget(draft: Draft, { finishedAt, now }: { readonly finishedAt: number; readonly now: number }): Decision<RunChange> {
  const { effects } = draft.decide();
  const tombstone: Effect = {
    type: "forget-run",
    runId: draft.run.facts.id,
    number: draft.run.facts.number,
    tombstoneUntil: Math.max(finishedAt + tombstoneMs, now + minuteMs),
  };
  return { changes: [{ type: "forget", isArchived: true }], effects: [...effects, tombstone] };
}
