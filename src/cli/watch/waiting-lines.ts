import type { RunView, WaitingReason } from "../../runs/view.ts";
import { changeLine } from "./change-lines.ts";

/** What waits, for which reason, since when, and whether that was said. By task; the run itself is `run`. */
export type WaitingMemory = ReadonlyMap<string, Waiting>;

interface Waiting {
  readonly type: WaitingReason["type"];
  readonly sinceMs: number;
  readonly isSaid: boolean;
}

/** Most waiting is over in a moment; only what lasts is worth a line. Longer leaves a person wondering. */
const holdMs = 3_000;

/**
 * Lines for what has been waiting for the same reason for a while, each reason once; an approval at once, since it is for a person.
 * Waiting for other tasks is left out: that is most of a run, and says nothing.
 */
export function waitingLines(
  memory: WaitingMemory,
  run: RunView,
  nowMs: number,
): { readonly memory: WaitingMemory; readonly lines: readonly string[] } {
  const next = new Map<string, Waiting>();
  const lines: string[] = [];
  for (const [what, reason] of waitingOf(run)) {
    const before = memory.get(what);
    const same = before?.type === reason.type ? before : { type: reason.type, sinceMs: nowMs, isSaid: false };
    const isDue = !same.isSaid && (reason.type === "approval" || nowMs - same.sinceMs >= holdMs);
    if (isDue) lines.push(changeLine(new Date(nowMs).toISOString(), what, "waiting", reason.message));
    next.set(what, { ...same, isSaid: same.isSaid || isDue });
  }
  return { memory: next, lines };
}

function* waitingOf(run: RunView): Generator<readonly [string, WaitingReason]> {
  if (run.phase === "queued" && run.waitingReason) yield ["run", run.waitingReason];
  for (const [name, { waitingReason }] of Object.entries(run.tasks)) {
    if (waitingReason && waitingReason.type !== "dependency") yield [name, waitingReason];
  }
}
