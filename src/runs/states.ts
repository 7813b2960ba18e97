import { z } from "zod";

/** A run's phase. `setuperror`, `cancelled` and `finished` are terminal. */
export const RunPhase = z.enum(["setuperror", "queued", "cancelled", "running", "finished"]);
export type RunPhase = z.infer<typeof RunPhase>;

/** A run's result, set at most once: `unknown` means not set. */
export const RunResult = z.enum(["unknown", "stopped", "success", "failed"]);
export type RunResult = z.infer<typeof RunResult>;

/** A task's status. All but `notstarted` and `running` are terminal. */
export const TaskStatus = z.enum(["notstarted", "skipped", "cancelled", "running", "stopped", "success", "failed"]);
export type TaskStatus = z.infer<typeof TaskStatus>;

/** The phase of an attempt, a step, or the setup before the first step. */
export const StepPhase = z.enum(["notstarted", "cancelled", "running", "stopped", "success", "failed"]);
export type StepPhase = z.infer<typeof StepPhase>;

/** Why a run was cancelled, or failed without a task to blame. */
export const RunReason = z.enum(["requested", "queue_timeout", "superseded", "run_timeout", "internal", "state_lost"]);
export type RunReason = z.infer<typeof RunReason>;

export type TerminalTaskStatus = Exclude<TaskStatus, "notstarted" | "running">;

export function isTerminalPhase(phase: RunPhase): boolean {
  return phase === "finished" || phase === "cancelled" || phase === "setuperror";
}

export function isTerminalStatus(status: TaskStatus): status is TerminalTaskStatus {
  return status !== "notstarted" && status !== "running";
}
