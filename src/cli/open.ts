import type { Session } from "./session.ts";

/** What a command's action calls first; only then are the settings read. */
export interface Open {
  (): Session;
  /** Ends the command with this code once its action has returned; without it 0. */
  readonly exitWith: (code: number) => void;
}
