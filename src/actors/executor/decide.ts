import { assertNever } from "../../errors.ts";
import { type Context, type Decision, type Effect, nothing } from "../actor.ts";
import { cordon, remove, uncordon } from "./commands.ts";
import { gone } from "./evidence.ts";
import { announce, toGroup } from "./mail.ts";
import type { ExecutorMessage } from "./messages.ts";
import type { ExecutorChange, ExecutorRecord, ExecutorState, Life, Standing } from "./state.ts";

export type ExecutorDecision = Decision<ExecutorChange>;
type Told<Type extends ExecutorMessage["type"]> = Extract<ExecutorMessage, { type: Type }>;

/** Earlier incarnations to remember: a registration is late by one or two, never by many. */
const incarnationsKept = 8;
/** Beyond the fence time, for the grace with which a pod's steps are stopped and for clocks that run apart. */
const fenceMarginMs = 60_000;

/**
 * The life of one executor:
 *
 *     active <-> cordoned            by command
 *     either  -> suspect             its heartbeat expired, or it left
 *     suspect -> what it was before  the heartbeat is back
 *     suspect -> lost                absent for a second ttl (or left, and absent): its incarnation is revoked
 *     lost    -> active              it registered anew
 *     lost    -> deleted             its pods are gone, and it is dynamic or was deleted by somebody
 *
 * Active and suspect executors need no deadline: the owner's observation every two seconds is their timer (A7).
 */
export function decide({ id, record }: ExecutorState, message: ExecutorMessage, context: Context): ExecutorDecision {
  switch (message.type) {
    case "registered":
      return registered(id, record, message);
    case "observed":
      return record ? observed(id, record, message, context) : nothing;
    case "left":
      return record ? left(id, record, message, context) : nothing;
    case "archs-changed":
      return record ? archsChanged(id, record, message) : nothing;
    case "cordon":
      return cordon(id, record, message.leaveWhenEmpty);
    case "uncordon":
      return uncordon(id, record);
    case "delete":
      return remove(id, record, message.force);
    case "pods-gone":
      return podsGone(id, record, message);
    case "taken-over":
      return record ? { changes: [], effects: announce(id, record) } : nothing;
    case "tick":
      return record?.unproven && record.unproven.presumedGoneAt <= context.now ? gone(id, record) : nothing;
    default:
      return assertNever(message);
  }
}

/** A process with this id has a new incarnation. If the last one was not lost, its assignments live on in this one. */
function registered(id: string, record: ExecutorRecord | undefined, message: Told<"registered">): ExecutorDecision {
  const { incarnation, description, ttlMs, fenceMs } = message;
  if (record && (record.incarnation === incarnation || record.earlier.includes(incarnation))) return nothing;
  const life = record ? standingAtReturn(record.life) : active;
  const next: ExecutorRecord = {
    v: 1,
    description,
    incarnation,
    earlier: record ? [record.incarnation, ...record.earlier].slice(0, incarnationsKept) : [],
    ttlMs,
    fenceMs,
    life,
    ...(record?.unproven ? { unproven: record.unproven } : {}),
  };
  return become(id, next, [...leftOtherGroup(id, record, next), recordLife(id, life)]);
}

const active = { state: "active" } as const;

/** Who is lost, or has left, comes back as new; who only restarts stays cordoned. */
function standingAtReturn(life: Life): Standing {
  if (life.state === "lost") return active;
  if (life.state !== "suspect") return life;
  return life.left ? active : life.before;
}

function leftOtherGroup(id: string, before: ExecutorRecord | undefined, now: ExecutorRecord): readonly Effect[] {
  if (!before || before.description.group === now.description.group) return [];
  return [toGroup(before.description.group, { type: "member-removed", executor: id })];
}

/** Only sent while an absent heartbeat can be trusted (the owner's own reads have succeeded for a whole ttl). */
function observed(id: string, record: ExecutorRecord, { alive, incarnation }: Told<"observed">, { now }: Context): ExecutorDecision {
  const { life } = record;
  if (life.state === "lost") return nothing;
  if (alive) {
    // The heartbeat of another incarnation says nothing of this one: its registration is on its way.
    if (incarnation !== record.incarnation || life.state !== "suspect") return nothing;
    // A heartbeat that was under way when the executor left lasts a ttl; one that lasts longer shows that it stayed.
    if (life.left && now < life.since + record.ttlMs) return nothing;
    return become(id, { ...record, life: life.before }, [recordLife(id, life.before)]);
  }
  if (life.state !== "suspect") return suspect(id, record, { before: life, left: false, now });
  if (life.left || now >= life.since + record.ttlMs) return lose(id, record, life.left, now);
  return nothing;
}

/**
 * It drained and said good-bye; its heartbeat is gone on purpose. Suspect at once, so that nothing is placed there any more;
 * the next observation without a heartbeat makes it lost. Not at once: a successor may have registered in between, and a loss
 * that is refused because of its heartbeat would be decided again and again. What was assigned while it left ends as
 * `executor_lost` without having run; the record of a static executor stays, as lost, until it returns or is deleted.
 */
function left(id: string, record: ExecutorRecord, { incarnation }: Told<"left">, { now }: Context): ExecutorDecision {
  const { life } = record;
  if (incarnation !== record.incarnation || life.state === "lost") return nothing;
  if (life.state !== "suspect") return suspect(id, record, { before: life, left: true, now });
  return life.left ? nothing : become(id, { ...record, life: { ...life, left: true } }, []);
}

/** What waits for an architecture that is offered now is placed by the pool, which hears of it; the script has changed the record. */
function archsChanged(id: string, record: ExecutorRecord, { incarnation, archs }: Told<"archs-changed">): ExecutorDecision {
  const { description, life } = record;
  if (incarnation !== record.incarnation || life.state === "lost" || archs.join() === description.archs.join()) return nothing;
  return become(id, { ...record, description: { ...description, archs } }, []);
}

interface Suspicion {
  readonly before: Standing;
  readonly left: boolean;
  readonly now: number;
}

function suspect(id: string, record: ExecutorRecord, { before, left, now }: Suspicion): ExecutorDecision {
  const life: Life = { state: "suspect", since: now, before, left };
  return become(id, { ...record, life }, [recordLife(id, life)]);
}

/** The commit of this is refused if the heartbeat is there after all; with it the incarnation is revoked (A9). */
function lose(id: string, record: ExecutorRecord, provenGone: boolean, now: number): ExecutorDecision {
  const life: Life = { state: "lost", since: now, removeWhenGone: record.description.dynamic };
  const unproven = { incarnation: record.incarnation, presumedGoneAt: now + record.fenceMs + fenceMarginMs };
  const next: ExecutorRecord = { ...record, life, unproven };
  const effects: Effect[] = [{ type: "executor-lost", executor: id }, recordLife(id, life)];
  if (!provenGone) return become(id, next, effects);
  const { changes, effects: after } = gone(id, next);
  return { changes, effects: [...effects, ...announce(id, next), ...after] };
}

/** Evidence from the executor group. It may come twice, late, or for somebody who was deleted meanwhile. */
function podsGone(id: string, record: ExecutorRecord | undefined, { incarnation, group }: Told<"pods-gone">): ExecutorDecision {
  if (!record) return group === undefined ? nothing : { changes: [], effects: [toGroup(group, { type: "member-removed", executor: id })] };
  if (record.unproven?.incarnation === incarnation) return gone(id, record);
  // The group missed that this is settled.
  return { changes: [], effects: announce(id, record) };
}

function become(id: string, record: ExecutorRecord, effects: readonly Effect[]): ExecutorDecision {
  return { changes: [{ type: "record-set", record }], effects: [...effects, ...announce(id, record)] };
}

/** What the executor itself, the scripts and readers go by. */
function recordLife(id: string, life: Life): Effect {
  const standing = life.state === "suspect" ? life.before : life;
  const leave = standing.state === "cordoned" && standing.leaveWhenEmpty ? "1" : "";
  return { type: "executor-record", executor: id, fields: { life: life.state, leave } };
}
