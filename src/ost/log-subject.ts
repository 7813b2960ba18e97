import type { LogPlace } from "./layout.ts";
import type { LogChunk } from "./log-chunk.ts";
import type { LogEnd } from "./log-tail.ts";

/** What a run says of one of its logs. */
export type LogState =
  /** Nothing has been written: its attempt or its step has not begun. */
  | { readonly type: "waiting" }
  | { readonly type: "live"; readonly assignment: string }
  /** `complete`: its object is in ost, unless it is empty. `attemptPrefix`: `<runId>-<task index>-<attempt>-`, if known. */
  | { readonly type: "ended"; readonly complete: boolean; readonly lost: boolean; readonly attemptPrefix?: string };

export interface LogSubject extends LogPlace {
  /** Asked again from time to time while a follower waits. */
  readonly state: () => Promise<LogState>;
}

export type LogItem = LogChunk | ({ readonly type: "end" } & LogEnd);
