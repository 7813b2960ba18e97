import type { ErrorCode } from "../../errors.ts";
import type { Reply } from "../actor.ts";

export const accepted: Reply = { ok: true };

/** The answer to a command that the run's state forbids; the message says what would work. */
export function refused(code: ErrorCode, message: string): Reply {
  return { ok: false, code, message };
}
