import type { RecordedWork } from "./actor.ts";
import type { OwnedShard } from "./owned-shards.ts";

/** Makes committed assignments fast and visible. Losing a wake-up costs time, never work: executors read `todo` besides. */
export interface Wakes {
  readonly wake: (assigned: ReadonlyMap<string, readonly string[]>) => void;
  /** Removes what is left of wake-ups for executors whose removal is committed. */
  readonly forget: (executors: readonly string[]) => void;
}

/** Gives recorded work to the queue whose workers do it, once it is due, and again if it is not done in time. */
export interface RecordedHandout {
  readonly hand: (owned: Iterable<OwnedShard>, now: number) => void;
}

/** What the handout needs of a queue: jobs of up to 50 runs. */
export type AddWork = (type: RecordedWork["type"], runs: readonly string[]) => Promise<void>;

const perJob = 50;
/** Work that nobody reported done is handed out again after this long; doing it twice is harmless. */
const repeatAfterMs = 60_000;

/** Idempotent by run: a repeated job finds its objects written already. */
export function createHandout(add: AddWork, onError: (error: unknown) => void): RecordedHandout {
  return {
    hand: (owned, now) => {
      const runs = new Map<RecordedWork["type"], string[]>();
      for (const { recorded } of owned) {
        for (const entry of recorded.values()) {
          const { work, handedAt } = entry;
          if (work.at > now || (handedAt !== undefined && now - handedAt < repeatAfterMs)) continue;
          entry.handedAt = now;
          const list = runs.get(work.type);
          if (list) list.push(work.runId);
          else runs.set(work.type, [work.runId]);
        }
      }
      for (const [type, ids] of runs) {
        for (let at = 0; at < ids.length; at += perJob) add(type, ids.slice(at, at + perJob)).catch(onError);
      }
    },
  };
}
