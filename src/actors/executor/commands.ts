import type { ErrorCode } from "../../errors.ts";
import type { Decision, Effect, Reply } from "../actor.ts";
import { deleted } from "./evidence.ts";
import { announce, toPool } from "./mail.ts";
import type { ExecutorChange, ExecutorRecord, Life, Standing } from "./state.ts";

type CommandDecision = Decision<ExecutorChange>;

/** Nothing new from now on; with `leaveWhenEmpty` the executor ends once it has nothing left. Repeating it is fine. */
export function cordon(id: string, record: ExecutorRecord | undefined, leaveWhenEmpty: boolean): CommandDecision {
  return stand(id, record, { state: "cordoned", leaveWhenEmpty });
}

/** Takes a cordon back. Repeating it is fine. */
export function uncordon(id: string, record: ExecutorRecord | undefined): CommandDecision {
  return stand(id, record, { state: "active" });
}

/**
 * Deletes an executor that is lost, at once or as soon as its pods are proven gone. Others have to leave first;
 * `force` is the operator's word that its pods are gone, and fences it whatever it does.
 */
export function remove(id: string, record: ExecutorRecord | undefined, force: boolean): CommandDecision {
  if (!record) return unknown(id);
  const { life, unproven } = record;
  if (force) {
    const incarnation = unproven?.incarnation ?? record.incarnation;
    return { ...deleted(id, record, [toPool(record, { type: "executor-gone", executor: id, incarnation })]), reply: done };
  }
  if (life.state !== "lost") return refuse("executor_not_lost", notLost(id, life));
  if (!unproven) return { ...deleted(id, record, []), reply: done };
  return { changes: [{ type: "record-set", record: { ...record, life: { ...life, removeWhenGone: true } } }], effects: [], reply: done };
}

function stand(id: string, record: ExecutorRecord | undefined, standing: Standing): CommandDecision {
  if (!record) return unknown(id);
  const { life } = record;
  if (life.state === "lost") return refuse("conflict", `executor ${id} is lost and gets nothing; delete it, or wait until it returns`);
  const before = life.state === "suspect" ? life.before : life;
  if (sameStanding(before, standing)) return { changes: [], effects: [], reply: done };
  const next: Life = life.state === "suspect" ? { ...life, before: standing } : standing;
  const leave = standing.state === "cordoned" && standing.leaveWhenEmpty ? "1" : "";
  const told: Effect = { type: "executor-record", executor: id, fields: { life: next.state, leave } };
  const changed = { ...record, life: next };
  return { changes: [{ type: "record-set", record: changed }], effects: [told, ...announce(id, changed)], reply: done };
}

function sameStanding(a: Standing, b: Standing): boolean {
  if (a.state === "active" || b.state === "active") return a.state === b.state;
  return a.leaveWhenEmpty === b.leaveWhenEmpty;
}

const done: Reply = { ok: true };

function notLost(id: string, { state }: Life): string {
  const wait = state === "suspect" ? "wait until it is declared lost" : "cordon it with leaveWhenEmpty and wait until it has left";
  return `executor ${id} is ${state}; ${wait}, or delete it with force, which ends what it runs as lost`;
}

function unknown(id: string): CommandDecision {
  return refuse("executor_not_found", `no executor ${id}`);
}

function refuse(code: ErrorCode, message: string): CommandDecision {
  return { changes: [], effects: [], reply: { ok: false, code, message } };
}
