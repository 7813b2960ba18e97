import type { Effect } from "../actor.ts";
import type { RunMessage } from "../run/messages.ts";

export function toRun(id: string, message: RunMessage): Effect {
  return { type: "send", to: { kind: "run", id }, message };
}
