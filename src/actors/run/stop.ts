import { isTerminalPhase } from "../../runs/states.ts";
import type { Reply } from "../actor.ts";
import type { Draft } from "./draft.ts";
import type { RunMessageOf } from "./messages.ts";
import { accepted, refused } from "./replies.ts";
import { cancelQueued, giveUp, stopRun } from "./stop-tasks.ts";

/** Stop is a desired state: repeating it changes nothing, and `force` may be added to it. */
export function stop(draft: Draft, message: RunMessageOf<"stop">): Reply {
  const { head, now } = draft;
  const { by, force } = message;
  if (head.phase === "queued") return refused("run_not_running", "the run is queued and has not started: cancel it instead");
  if (isTerminalPhase(head.phase)) {
    const isRepeat = message.requestId !== undefined && head.stop?.requestId === message.requestId;
    return isRepeat ? accepted : refused("run_not_running", "the run has ended already");
  }
  if (head.quarantine && !head.stop) giveUp(draft, by, message.requestId);
  else if (!head.stop || (force && !head.stop.force)) {
    const { requestId } = message;
    stopRun(draft, {
      at: head.stop?.at ?? now,
      why: head.stop?.why ?? "stopped",
      by,
      force,
      ...(requestId !== undefined && { requestId }),
    });
  }
  return accepted;
}

/** Cancels a queued run; a repeat of the request that did is accepted again. */
export function cancel(draft: Draft, message: RunMessageOf<"cancel">): Reply {
  const { head } = draft;
  const { requestId } = message;
  if (head.phase === "running") return refused("run_not_queued", "the run is running: stop it instead");
  if (isTerminalPhase(head.phase)) {
    const isRepeat = head.cancellation !== undefined && requestId !== undefined && head.cancellation.requestId === requestId;
    return isRepeat ? accepted : refused("run_not_queued", "the run has ended already");
  }
  draft.change({ cancellation: requestId === undefined ? {} : { requestId } });
  cancelQueued(draft, message.reason ?? "requested");
  return accepted;
}
