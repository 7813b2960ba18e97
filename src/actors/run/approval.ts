import type { Approval, TaskState } from "../../runs/task.ts";
import type { Reply } from "../actor.ts";
import { requestAgain } from "./attempt.ts";
import type { Draft } from "./draft.ts";
import type { RunMessageOf } from "./messages.ts";
import { accepted, refused } from "./replies.ts";

/** Approves or rejects a task that waits for it. Who, when and why stay with the task; a repeat of the same request is accepted again. */
export function approveOrReject(draft: Draft, message: RunMessageOf<"approve" | "reject">): Reply {
  const index = draft.graph.indexOf(message.task);
  if (index === undefined) return refused("task_not_found", `the run has no task "${message.task}"`);
  const task = draft.task(index);
  if (draft.head.quarantine) return refused("conflict", "the run is put aside and starts nothing: stop it");
  if (task.stage !== "approval" || draft.head.phase !== "running") {
    if (isRepeat(task, message)) return accepted;
    return refused("not_waiting_approval", `the task "${message.task}" does not wait for an approval`);
  }
  const approval: Approval = {
    at: draft.now,
    by: message.by,
    ...(message.message !== undefined && { message: message.message }),
    ...(message.requestId !== undefined && { requestId: message.requestId }),
  };
  if (message.type === "approve") requestAgain(draft, index, { attempts: [], approval });
  else draft.set(index, { stage: "ended", status: "skipped", finishedAt: draft.now, attempts: [], approval, skip: { type: "rejected" } });
  return accepted;
}

/** True for the very request that approved, or rejected, the task before. */
function isRepeat(task: TaskState, { type, requestId }: RunMessageOf<"approve" | "reject">): boolean {
  if (!("approval" in task) || requestId === undefined || task.approval?.requestId !== requestId) return false;
  const wasRejected = task.stage === "ended" && task.skip?.type === "rejected";
  return wasRejected === (type === "reject");
}
