import type { RunPhase } from "../runs/states.ts";

/**
 * How far along in its life a row shows a run. A row never replaces one of a higher rank, whatever order rows arrive in:
 * from the stream, from ost, or from the create call of this very process.
 */
export const deletedRank = 4;
export const terminalRank = 3;
export const runningRank = 2;

export function rankOf(phase: RunPhase): number {
  switch (phase) {
    case "queued":
      return 1;
    case "running":
      return runningRank;
    case "setuperror":
    case "cancelled":
    case "finished":
      return terminalRank;
  }
}
