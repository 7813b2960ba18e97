import type { ApiError } from "../client/api-error.ts";
import type { RunPhase, RunResult } from "../runs/states.ts";

/** What the process ends with (api.md: exit codes). Scripts depend on them: never renumbered, only added to. */
export const exitCode = {
  success: 0,
  error: 1,
  usage: 2,
  runFailed: 3,
  runStopped: 4,
  setupError: 5,
  timeout: 6,
  notFound: 7,
  notAllowed: 8,
  conflict: 9,
  unavailable: 10,
  interrupted: 130,
  terminated: 143,
} as const;

/** The fate of a run that has ended. */
export function exitCodeOfRun(run: { readonly phase: RunPhase; readonly result: RunResult }): number {
  if (run.phase === "setuperror") return exitCode.setupError;
  if (run.result === "failed") return exitCode.runFailed;
  if (run.phase === "cancelled" || run.result === "stopped") return exitCode.runStopped;
  return run.result === "success" ? exitCode.success : exitCode.error;
}

/** The code for several runs: a failed one outweighs one that could not begin, that one a stopped one. */
export function worstExitCode(codes: readonly number[]): number {
  const { runFailed, setupError, runStopped, success } = exitCode;
  const rank = [runFailed, setupError, runStopped];
  return rank.find((code) => codes.includes(code)) ?? codes.find((code) => code !== success) ?? success;
}

export function exitCodeOfApiError({ code, status }: Pick<ApiError, "code" | "status">): number {
  if (code === "bad_gateway" || status === undefined || status === 429 || status >= 502) return exitCode.unavailable;
  if (status === 404 || status === 410) return exitCode.notFound;
  if (status === 401 || status === 403) return exitCode.notAllowed;
  if (status === 409) return exitCode.conflict;
  return exitCode.error;
}
