import { durationMs } from "../../runs/duration.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { PodError } from "../driver.ts";
import type { Halts } from "../halts.ts";
import { startTimer } from "../long-timer.ts";
import type { StepContext, StepEnded } from "./step-context.ts";
import { StepFault } from "./step-fault.ts";

type RunStep = Extract<Step, { type: "run" }>;

const defaultShell = "/bin/sh -e";

/** Runs a command as a script of the task's shell. Called again for a step that a predecessor started, it goes on with that. */
export async function runCommand(step: RunStep, context: StepContext, halts: Halts): Promise<StepEnded> {
  const { pod, node, index } = context;
  const user = step.user ?? node.definition.user;
  await pod.startStep(
    {
      index,
      command: step.command,
      shell: (step.shell ?? node.definition.shell ?? defaultShell).trim().split(/\s+/),
      workingDir: workingDirOf(context.workingDir, step.workingDir),
      environment: context.environment,
      ...(user !== undefined && { user }),
    },
    halts.leave,
  );
  const copying = copyOutput(context, halts.leave);
  let stopping: Promise<void> | undefined;
  let tookTooLong = false;
  const stop = () => {
    if (halts.leave.aborted) return;
    stopping ??= pod.stopStep(index, node.stopGraceMs, halts.leave);
    // Awaited below; until then its failure is not unhandled.
    stopping.catch(() => {});
  };
  const cancelTimer = limitTime(step.timeout, () => {
    tookTooLong = !halts.halt.aborted;
    stop();
  });
  halts.halt.addEventListener("abort", stop);
  if (halts.halt.aborted) stop();
  try {
    const end = await pod.waitStep(index, halts.leave);
    await copying;
    await stopping;
    if (tookTooLong) throw new StepFault("timeout", `the step took longer than ${step.timeout}`);
    if (end.type === "gone") throw new PodError(end.reason, end.message);
    const { exitCode, startedAt, finishedAt } = end;
    return { exitCode, startedAt, finishedAt };
  } finally {
    cancelTimer();
    halts.halt.removeEventListener("abort", stop);
    await Promise.allSettled([copying, stopping]);
  }
}

/** A step's relative working directory is below the task's. */
function workingDirOf(taskDir: string, stepDir: string | undefined): string {
  if (stepDir === undefined) return taskDir;
  if (stepDir.startsWith("/") || stepDir === "~" || stepDir.startsWith("~/")) return stepDir;
  return `${taskDir}/${stepDir}`;
}

async function copyOutput({ pod, index, log }: StepContext, signal: AbortSignal): Promise<void> {
  for await (const chunk of pod.followOutput(index, 0, signal)) await log.write(chunk);
}

function limitTime(timeout: string | undefined, onOver: () => void): () => void {
  return timeout === undefined ? () => {} : startTimer(durationMs(timeout, 0), onOver);
}
