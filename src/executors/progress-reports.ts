import type { AttemptProgress } from "./attempt-record.ts";

/** What a quick attempt does is told with its end; only a longer one reports its begin and steps. */
const firstAfterMs = 250;
const everyMs = 1_000;

export interface ProgressReportsOptions {
  readonly assignment: string;
  readonly progress: () => AttemptProgress | undefined;
  readonly send: (message: unknown) => Promise<void>;
  readonly monotonicNow: () => number;
}

export interface ProgressReports {
  /** A step began or ended: told soon, with what else changes until then. */
  readonly changed: () => void;
  /** Tells everything once more. */
  readonly tellAgain: () => void;
  /** Resolves once nothing is told any more; the end must be the last that a run hears. */
  readonly end: () => Promise<void>;
}

/** Tells a run of an attempt that takes a while: what its pod waits for, its begin, then its steps, at most once a second. */
export function createProgressReports({ assignment, progress, send, monotonicNow }: ProgressReportsOptions): ProgressReports {
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;
  let nextAt = monotonicNow() + firstAfterMs;
  let toldStart = false;
  let again = false;
  let ended = false;

  const tell = async () => {
    const now = progress();
    if (now === undefined || (now.startedAt === undefined && now.message === undefined)) return;
    if (now.startedAt !== undefined && !toldStart) await send({ type: "attempt-started", assignment, at: now.startedAt });
    toldStart = now.startedAt !== undefined;
    const { setup, steps, message } = now;
    await send({ type: "attempt-progress", assignment, setup, steps, ...(message !== undefined && { message }) });
  };

  const changed = () => {
    if (ended || timer !== undefined) return;
    if (telling !== undefined) {
      again = true;
      return;
    }
    timer = setTimeout(
      () => {
        timer = undefined;
        nextAt = monotonicNow() + everyMs;
        telling = tell().finally(() => {
          telling = undefined;
          if (again) changed();
          again = false;
        });
      },
      Math.max(0, nextAt - monotonicNow()),
    );
  };

  return {
    changed,
    tellAgain: () => {
      toldStart = false;
      changed();
    },
    end: async () => {
      ended = true;
      clearTimeout(timer);
      await telling;
    },
  };
}
