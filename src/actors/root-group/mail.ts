import type { Effect } from "../actor.ts";
import type { RunMessage } from "../run/messages.ts";

/** Who cancels and stops in the name of a concurrency key. */
export const system = "system";

export function toRun(id: string, message: RunMessage): Effect {
  return { type: "send", to: { kind: "run", id }, message };
}
