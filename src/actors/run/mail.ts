import type { EndedAttempt } from "../../runs/task.ts";
import { attemptNumber } from "../../runs/task.ts";
import { isInfrastructure } from "../../runs/verdict.ts";
import type { Recipient } from "../actor.ts";
import type { PoolMessage } from "../pool/messages.ts";
import type { RootGroupMessage } from "../root-group/messages.ts";
import type { Draft } from "./draft.ts";
import type { RunMessage } from "./messages.ts";

type Send = { readonly type: "send"; readonly to: Recipient; readonly message: PoolMessage | RootGroupMessage | RunMessage };

export function mailToPool(id: string, message: PoolMessage): Send {
  return { type: "send", to: { kind: "pool", id }, message };
}

export function mailToRootGroup(id: string, message: RootGroupMessage): Send {
  return { type: "send", to: { kind: "root-group", id }, message };
}

/** Goes on in another decision: what one decision may hold is bounded. */
export function goOnLater(draft: Draft): void {
  draft.effect({ type: "send", to: { kind: "run", id: draft.run.facts.id }, message: { type: "tick" } satisfies RunMessage });
}

/** Asks the pool for an executor; the task must be `requested` by now. */
export function requestExecutor(draft: Draft, index: number): void {
  const { facts, stored } = draft.run;
  const node = draft.node(index);
  const task = draft.task(index);
  const lostBy = "attempts" in task ? executorsThatLost(task.attempts) : [];
  draft.effect(
    mailToPool(node.pool, {
      type: "request",
      run: facts.id,
      task: index,
      attempt: attemptNumber(task),
      requirement: node.requirement,
      root: facts.root,
      group: facts.group,
      priority: stored.definition.priority ?? 0,
      runCreatedAt: facts.createdAt,
      queueTimeoutMs: node.queueTimeoutMs,
      ...(lostBy.length > 0 && { avoid: lostBy }),
    }),
  );
}

/** Executors on which the task ended without its own fault: others are preferred. */
function executorsThatLost(attempts: readonly EndedAttempt[]): string[] {
  if (attempts.length === 0) return [];
  const executors = attempts.filter(({ reason }) => isInfrastructure(reason)).flatMap(({ executor }) => executor ?? []);
  return [...new Set(executors)];
}
