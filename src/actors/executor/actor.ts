import type { Actor } from "../actor.ts";
import { decide } from "./decide.ts";
import { ExecutorMessage } from "./messages.ts";
import { type ExecutorChange, ExecutorRecord, type ExecutorState } from "./state.ts";

export type ExecutorActor = Actor<ExecutorState, ExecutorMessage, ExecutorChange>;

/** Keeps the life of one executor. Its state has no parts; a deleted executor is forgotten. */
export function createExecutorActor(): ExecutorActor {
  return {
    kind: "executor",
    parseMessage: (raw) => ExecutorMessage.parse(raw),
    decide,
    apply: (state, { record }) => ({ ...state, record }),
    deadline: ({ record }) => record?.unproven?.presumedGoneAt,
    parts: () => [],
    decode: (id, { state }) => ({ id, record: state === null ? undefined : ExecutorRecord.parse(JSON.parse(state)) }),
    encode: (_id, { record }) => ({ state: record ? JSON.stringify(record) : null, hashes: [] }),
  };
}
