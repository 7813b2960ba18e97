import { assertNever } from "../../errors.ts";
import { type Decision, nothing } from "../actor.ts";
import { mailToPool, mailToRootGroup } from "./mail.ts";
import type { RunMessage } from "./messages.ts";
import { refused } from "./replies.ts";
import type { AbsentRun, RunChange } from "./state.ts";
import { archiveWork, definitionWork, deleteWork } from "./work.ts";

/**
 * Messages to a run that Redis has forgotten, or never knew. Whoever still counts on it is told that it is gone, so that no slot,
 * key or pod is kept for it; commands are refused.
 */
export function decideAbsent(run: AbsentRun, message: RunMessage, now: number): Decision<RunChange> {
  const { id } = run;
  switch (message.type) {
    case "assigned":
      return { changes: [], effects: [{ type: "stop-assignment", executor: message.executor, assignment: message.assignment }] };
    case "attempt-ended": {
      const { assignment, executor, pool } = message;
      if (executor === undefined) return nothing;
      const release = pool === undefined ? [] : [mailToPool(pool, { type: "release", assignment, executor })];
      return { changes: [], effects: [{ type: "settle-assignment", executor, assignment }, ...release] };
    }
    case "check-assignment": {
      const { assignment, executor, pool } = message;
      const release = mailToPool(pool, { type: "release", assignment, executor });
      return { changes: [], effects: [{ type: "settle-assignment", executor, assignment }, release] };
    }
    case "check-request":
      return {
        changes: [],
        effects: [mailToPool(message.pool, { type: "withdraw", run: id, task: message.task, attempt: message.attempt })],
      };
    case "check-holder":
      return { changes: [], effects: [mailToRootGroup(message.root, { type: "run-ended", run: id })] };
    case "definition-written":
      return { changes: [], effects: [{ type: "unrecord", id: definitionWork(id).id }] };
    case "archived":
      return { changes: [], effects: [{ type: "unrecord", id: archiveWork(id).id }] };
    case "deleted":
      return { changes: [], effects: [{ type: "unrecord", id: deleteWork(id).id }] };
    case "delete":
      if (!run.isArchived) return refuse(run, message.type);
      return { changes: [], effects: [{ type: "record", ...deleteWork(id, now) }], reply: { ok: true } };
    case "stop":
    case "cancel":
    case "approve":
    case "reject":
    case "delete-logs":
      return refuse(run, message.type);
    case "create":
    case "start":
    case "withdrawn":
    case "queue-timeout":
    case "attempt-started":
    case "attempt-progress":
    case "quarantine":
    case "tick":
      return nothing;
    default:
      return assertNever(message);
  }
}

/** What an archived run answers; its logs are deleted without its actor, which the caller should have known. */
const archivedRefusals = {
  stop: "run_not_running",
  cancel: "run_not_queued",
  approve: "not_waiting_approval",
  reject: "not_waiting_approval",
  "delete-logs": "conflict",
  delete: "conflict",
} as const;

function refuse(run: AbsentRun, command: keyof typeof archivedRefusals): Decision<RunChange> {
  const reply = run.isArchived
    ? refused(archivedRefusals[command], "the run has ended and been archived")
    : refused("run_not_found", `no run ${run.id}`);
  return { changes: [], effects: [], reply };
}
