import { assertNever } from "../errors.ts";
import type { AttemptOutcome } from "../runs/outcome.ts";
import { PodError } from "./driver.ts";
import type { Halt } from "./halts.ts";
import type { StepEnded } from "./steps/step-context.ts";
import { StepFault } from "./steps/step-fault.ts";

/** How an attempt ends, its times and steps apart. */
export type Verdict = Pick<AttemptOutcome, "phase" | "reason" | "message" | "exitCode">;

/** Undefined for a step after which the attempt goes on. */
export function verdictOfExit({ exitCode }: StepEnded): Verdict | undefined {
  if (exitCode === undefined || exitCode === 0) return undefined;
  return { phase: "failed", reason: "exit_code", exitCode };
}

export function verdictOfHalt(halt: Halt): Verdict {
  switch (halt.type) {
    case "stop":
      return { phase: "stopped", reason: "stopped" };
    case "timeout":
      return { phase: "failed", reason: "timeout", message: halt.message };
    case "fence":
      return { phase: "failed", reason: "executor_lost", message: "the executor had no answer from Redis for its whole fence time" };
    case "leave":
      throw new Error("an attempt that is left to another process has no verdict");
    default:
      return assertNever(halt);
  }
}

/** What a fault makes of the attempt: its own reason, the halt that caused it, or else the executor's platform is to blame. */
export function verdictOf(error: unknown, halt: Halt | undefined): Verdict {
  if (halt) return verdictOfHalt(halt);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StepFault || error instanceof PodError) return { phase: "failed", reason: error.reason, message };
  return { phase: "failed", reason: "setup", message };
}
