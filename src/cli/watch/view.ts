import type { Watcher } from "./follow-run.ts";

/** What shows a run while it is followed. */
export interface View extends Watcher {
  /** Leaves the last state standing. Closing twice is harmless. */
  readonly close: () => void;
}
