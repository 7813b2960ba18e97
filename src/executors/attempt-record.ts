import type { StepProgress } from "../runs/outcome.ts";

export type Place = "setup" | number;

export interface AttemptProgress {
  /** When the pod began to run; undefined before. */
  readonly startedAt: number | undefined;
  readonly setup: StepProgress;
  readonly steps: readonly StepProgress[];
  /** What the pod's start waits for, in the platform's words. */
  readonly message?: string;
}

/** What an attempt knows of its setup and steps while it runs; times in ms by Redis's clock. */
export interface AttemptRecord {
  readonly update: (place: Place, change: Partial<StepProgress>) => void;
  readonly podStarted: (at: number) => void;
  readonly waitFor: (message: string) => void;
  /** Sizes of logs that still grow are asked for when somebody looks. */
  readonly watchLog: (place: Place, size: () => number) => void;
  readonly progress: () => AttemptProgress;
}

export function createAttemptRecord(steps: number): AttemptRecord {
  let startedAt: number | undefined;
  let message: string | undefined;
  let setup: StepProgress = { phase: "notstarted" };
  const all: StepProgress[] = Array.from({ length: steps }, () => ({ phase: "notstarted" }));
  const sizes = new Map<Place, () => number>();
  const update = (place: Place, change: Partial<StepProgress>) => {
    if (place === "setup") setup = { ...setup, ...change };
    else all[place] = { phase: "notstarted", ...all[place], ...change };
  };
  return {
    update,
    podStarted: (at) => {
      startedAt = at;
    },
    waitFor: (words) => {
      message = words;
    },
    watchLog: (place, size) => {
      sizes.set(place, size);
    },
    progress: () => {
      for (const [place, size] of sizes) {
        const logSize = size();
        if (logSize > 0) update(place, { logSize });
      }
      return { startedAt, setup, steps: [...all], ...(startedAt === undefined && message !== undefined && { message }) };
    },
  };
}
