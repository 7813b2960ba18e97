import type { Decision, Effect } from "../actor.ts";
import { announce, toGroup, toPool } from "./mail.ts";
import type { ExecutorChange, ExecutorRecord } from "./state.ts";

/**
 * No pod of the lost incarnation is left: only now do its assignments end as `executor_lost`, so that no retry runs
 * beside the pod it replaces. The pool hears of the end before it hears that the executor is back.
 */
export function gone(id: string, record: ExecutorRecord): Decision<ExecutorChange> {
  const { unproven, ...settled } = record;
  const ended = unproven ? [toPool(record, { type: "executor-gone", executor: id, incarnation: unproven.incarnation })] : [];
  if (record.life.state === "lost" && record.life.removeWhenGone) return deleted(id, record, ended);
  return { changes: [{ type: "record-set", record: settled }], effects: [...ended, ...announce(id, settled)] };
}

/** Deletes the executor; nothing late resurrects it, since every script asks for the record. */
export function deleted(id: string, record: ExecutorRecord, before: readonly Effect[]): Decision<ExecutorChange> {
  return {
    changes: [{ type: "record-set", record: undefined }],
    effects: [
      ...before,
      { type: "executor-removed", executor: id, incarnation: record.incarnation },
      toPool(record, { type: "executor-removed", executor: id }),
      toGroup(record.description.group, { type: "member-removed", executor: id }),
    ],
  };
}
