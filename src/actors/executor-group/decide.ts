import { assertNever } from "../../errors.ts";
import { type Context, type Decision, type Effect, nothing } from "../actor.ts";
import type { ExecutorMessage } from "../executor/messages.ts";
import type { ExecutorGroupMessage } from "./messages.ts";
import type { ExecutorGroupChange, ExecutorGroupState, Member } from "./state.ts";

export type ExecutorGroupDecision = Decision<ExecutorGroupChange>;
type Told<Type extends ExecutorGroupMessage["type"]> = Extract<ExecutorGroupMessage, { type: Type }>;

/** A proof is repeated until the executor's actor answers it with its new state. */
const remindAfterMs = 30_000;

/**
 * Groups clean: members prove that the pods of a lost one are gone, and the lost executor's actor is told.
 * The members' own actors decide about their lives; what is kept here follows what they say.
 */
export function decide(state: ExecutorGroupState, message: ExecutorGroupMessage, context: Context): ExecutorGroupDecision {
  switch (message.type) {
    case "member-changed":
      return memberChanged(state, message);
    case "member-removed":
      return state.members[message.executor] ? { changes: [{ type: "member-removed", executor: message.executor }], effects: [] } : nothing;
    case "pods-gone":
      return podsGone(state, message, context);
    case "taken-over":
    case "tick":
      return remind(state, context);
    default:
      return assertNever(message);
  }
}

function memberChanged({ members }: ExecutorGroupState, message: Told<"member-changed">): ExecutorGroupDecision {
  const { executor, pool, incarnation, life, unproven } = message;
  const known = members[executor];
  const proof = known?.proof?.incarnation === unproven ? known?.proof : undefined;
  const member: Member = { pool, incarnation, life, ...(unproven === undefined ? {} : { unproven }), ...(proof ? { proof } : {}) };
  if (known && same(known, member)) return nothing;
  return { changes: [{ type: "member-set", executor, member }], effects: [] };
}

function same(a: Member, b: Member): boolean {
  return a.pool === b.pool && a.incarnation === b.incarnation && a.life === b.life && a.unproven === b.unproven;
}

/** Evidence counts from a member that is not lost, about an incarnation that is (A9). */
function podsGone(state: ExecutorGroupState, { executor, incarnation, by }: Told<"pods-gone">, { now }: Context): ExecutorGroupDecision {
  const member = state.members[executor];
  const witness = state.members[by];
  if (!member || member.unproven === undefined || !witness || witness.life === "lost") return nothing;
  // An executor that is back speaks of all incarnations before its present one.
  const speaksOfItself = by === executor && incarnation === member.incarnation;
  if (incarnation !== member.unproven && !speaksOfItself) return nothing;
  const proof = { incarnation: member.unproven, by, remindAt: now + remindAfterMs };
  return {
    changes: member.proof ? [] : [{ type: "member-set", executor, member: { ...member, proof } }],
    effects: [tell(state.id, { executor, pool: member.pool, incarnation: member.unproven })],
  };
}

function remind(state: ExecutorGroupState, { now }: Context): ExecutorGroupDecision {
  const changes: ExecutorGroupChange[] = [];
  const effects: Effect[] = [];
  for (const [executor, member] of Object.entries(state.members)) {
    const { pool, proof } = member;
    if (!proof || proof.remindAt > now) continue;
    changes.push({ type: "member-set", executor, member: { ...member, proof: { ...proof, remindAt: now + remindAfterMs } } });
    effects.push(tell(state.id, { executor, pool, incarnation: proof.incarnation }));
  }
  return { changes, effects };
}

interface ProvenGone {
  readonly executor: string;
  readonly pool: string;
  readonly incarnation: string;
}

function tell(group: string, { executor, pool, incarnation }: ProvenGone): Effect {
  const message: ExecutorMessage = { type: "pods-gone", incarnation, group };
  return { type: "send", to: { kind: "executor", id: executor, pool }, message };
}
