import type { Actor } from "../actor.ts";
import { decide } from "./decide.ts";
import { ExecutorGroupMessage } from "./messages.ts";
import { type ExecutorGroupChange, type ExecutorGroupState, StoredExecutorGroup } from "./state.ts";

export type ExecutorGroupActor = Actor<ExecutorGroupState, ExecutorGroupMessage, ExecutorGroupChange>;

/** Keeps the siblings of one executor group and the evidence that they bring. A group without members is forgotten. */
export function createExecutorGroupActor(): ExecutorGroupActor {
  return {
    kind: "executor-group",
    parseMessage: (raw) => ExecutorGroupMessage.parse(raw),
    decide,
    apply: (state, change) => ({ ...state, members: applyTo(state.members, change) }),
    deadline: ({ members }) => {
      const reminders = Object.values(members).flatMap(({ proof }) => (proof ? [proof.remindAt] : []));
      return reminders.length > 0 ? Math.min(...reminders) : undefined;
    },
    parts: () => [],
    decode: (id, { state }) => ({ id, members: state === null ? {} : StoredExecutorGroup.parse(JSON.parse(state)).members }),
    encode: (_id, { members }) => ({
      state: Object.keys(members).length > 0 ? JSON.stringify({ v: 1, members }) : null,
      hashes: [],
    }),
  };
}

function applyTo(members: ExecutorGroupState["members"], change: ExecutorGroupChange): ExecutorGroupState["members"] {
  if (change.type === "member-set") return { ...members, [change.executor]: change.member };
  return Object.fromEntries(Object.entries(members).filter(([id]) => id !== change.executor));
}
