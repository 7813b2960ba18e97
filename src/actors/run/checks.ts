import { parseAssignmentId } from "../../ids.ts";
import { isTerminalPhase } from "../../runs/states.ts";
import { findHeld } from "./attempt.ts";
import type { Draft } from "./draft.ts";
import { mailToPool, mailToRootGroup } from "./mail.ts";
import type { RunMessageOf } from "./messages.ts";

/** A pool asks whether an assignment is still the run's. If not, everybody lets go of it; one whose `assigned` is on its way is. */
export function checkAssignment(draft: Draft, { assignment, executor, pool }: RunMessageOf<"check-assignment">): void {
  if (findHeld(draft, assignment) || isAwaited(draft, assignment)) return;
  draft.effect({ type: "settle-assignment", executor, assignment });
  draft.effect(mailToPool(pool, { type: "release", assignment, executor }));
}

function isAwaited(draft: Draft, assignment: string): boolean {
  const parts = parseAssignmentId(assignment);
  if (!parts || parts.task >= draft.graph.tasks.length) return false;
  const task = draft.task(parts.task);
  return task.stage === "requested" && task.attempts.length + 1 === parts.attempt;
}

/** A pool asks whether a request is still the run's. If not, or if it has been taken back, the pool is told so (again). */
export function checkRequest(draft: Draft, { task: index, attempt, pool }: RunMessageOf<"check-request">): void {
  const task = index >= 0 && index < draft.graph.tasks.length ? draft.task(index) : undefined;
  const isAsked = task?.stage === "requested" && task.attempts.length + 1 === attempt && !task.withdrawal;
  if (!isAsked) draft.effect(mailToPool(pool, { type: "withdraw", run: draft.run.facts.id, task: index, attempt }));
}

/** The root group asks whether the run still holds its place. */
export function checkHolder(draft: Draft, { root }: RunMessageOf<"check-holder">): void {
  const { phase, quarantine } = draft.head;
  if (isTerminalPhase(phase) || quarantine) draft.effect(mailToRootGroup(root, { type: "run-ended", run: draft.run.facts.id }));
}
