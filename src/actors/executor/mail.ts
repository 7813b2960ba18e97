import type { Effect } from "../actor.ts";
import type { ExecutorGroupMessage } from "../executor-group/messages.ts";
import type { PoolMessage } from "../pool/messages.ts";
import type { ExecutorRecord } from "./state.ts";

export function toPool({ description }: ExecutorRecord, message: PoolMessage): Effect {
  return { type: "send", to: { kind: "pool", id: description.pool }, message };
}

export function toGroup(group: string, message: ExecutorGroupMessage): Effect {
  return { type: "send", to: { kind: "executor-group", id: group }, message };
}

/**
 * Tells pool and group what the executor is now. While pods of a lost incarnation may still be there, the pool goes on
 * knowing the executor as lost under that incarnation: it places nothing, and what it booked there is not mistaken for new work.
 */
export function announce(id: string, record: ExecutorRecord): readonly Effect[] {
  const { description, incarnation, life, unproven } = record;
  const back = life.state !== "lost" && unproven !== undefined;
  const group = toGroup(description.group, {
    type: "member-changed",
    executor: id,
    pool: description.pool,
    incarnation,
    life: life.state,
    ...(unproven ? { unproven: unproven.incarnation } : {}),
  });
  if (back) return [group];
  return [toPool(record, { type: "executor-changed", executor: id, incarnation, life: life.state, description }), group];
}
