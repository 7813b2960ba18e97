import { assertNever } from "../../errors.ts";
import type { Context, Decision, Reply } from "../actor.ts";
import { decideAbsent } from "./absent.ts";
import { assigned, queueTimeout, withdrawn } from "./answers.ts";
import { approveOrReject } from "./approval.ts";
import { attemptEnded, attemptProgress, attemptStarted } from "./attempt.ts";
import { checkAssignment, checkHolder, checkRequest } from "./checks.ts";
import { create, start } from "./create.ts";
import { archived, deleted, deleteLogs, deleteRun } from "./deletion.ts";
import { Draft } from "./draft.ts";
import type { RunMessage } from "./messages.ts";
import { quarantine } from "./quarantine.ts";
import { settle } from "./settle.ts";
import type { RunChange, RunState } from "./state.ts";
import { cancel, stop } from "./stop.ts";
import { nextDue, tick } from "./tick.ts";
import { definitionWork } from "./work.ts";

/**
 * What a message changes and causes. Delivery is at least once and unordered: one that no longer applies changes nothing.
 * Costs what changes and its descendants, never the run's size, but for starting, stopping and ending a whole run.
 */
export function decide(state: RunState, message: RunMessage, { now }: Context): Decision<RunChange> {
  if (state.type === "absent") return decideAbsent(state, message, now);
  const draft = new Draft(state, now);
  create(draft);
  switch (message.type) {
    case "archived":
      return archived(draft);
    case "deleted":
      return deleted(draft);
    case "tick": {
      // A tick may also be the run's own mail, to go on deciding: then nothing need be due.
      const isDue = state.index.dueAt <= now;
      if (isDue) tick(draft);
      settle(draft);
      return draft.decide(isDue ? { dueAt: nextDue(draft) } : {});
    }
    default: {
      const reply = react(draft, message);
      settle(draft);
      return draft.decide({ reply });
    }
  }
}

/** Applies one message to the draft. Commands have a reply; everything else has none. */
function react(draft: Draft, message: Exclude<RunMessage, { type: "archived" | "deleted" | "tick" }>): Reply | undefined {
  switch (message.type) {
    case "create":
      return undefined;
    case "start":
      start(draft);
      return undefined;
    case "stop":
      return stop(draft, message);
    case "cancel":
      return cancel(draft, message);
    case "approve":
    case "reject":
      return approveOrReject(draft, message);
    case "delete":
      return deleteRun(draft, message);
    case "delete-logs":
      return deleteLogs(draft, message);
    case "assigned":
      assigned(draft, message);
      return undefined;
    case "withdrawn":
      withdrawn(draft, message);
      return undefined;
    case "queue-timeout":
      queueTimeout(draft, message);
      return undefined;
    case "attempt-started":
      attemptStarted(draft, message);
      return undefined;
    case "attempt-progress":
      attemptProgress(draft, message);
      return undefined;
    case "attempt-ended":
      attemptEnded(draft, message);
      return undefined;
    case "check-assignment":
      checkAssignment(draft, message);
      return undefined;
    case "check-request":
      checkRequest(draft, message);
      return undefined;
    case "check-holder":
      checkHolder(draft, message);
      return undefined;
    case "definition-written":
      draft.effect({ type: "unrecord", id: definitionWork(draft.run.facts.id).id });
      return undefined;
    case "quarantine":
      quarantine(draft, message);
      return undefined;
    default:
      return assertNever(message);
  }
}
