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
  const { pod, node, index, log } = context;
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
  const limit = limitTime(step.timeout);
  const stopping = stopOn(AbortSignal.any([halts.halt, limit.signal]), () => pod.stopStep(index, node.stopGraceMs, halts.leave));
  try {
    const end = await pod.waitStep(index, halts.leave);
    await copying;
    await stopping.done();
    if (limit.signal.aborted && !halts.halt.aborted) {
      await log.line(`the step was stopped: it took longer than ${step.timeout}`);
      throw new StepFault("timeout", `the step took longer than ${step.timeout}`);
    }
    if (end.type === "gone") throw new PodError(end.reason, end.message);
    const { exitCode, startedAt, finishedAt } = end;
    return { exitCode, startedAt, finishedAt };
  } finally {
    limit.clear();
    await Promise.allSettled([copying, stopping.done()]);
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

function limitTime(timeout: string | undefined): { readonly signal: AbortSignal; readonly clear: () => void } {
  const over = new AbortController();
  const clear = timeout === undefined ? () => {} : startTimer(durationMs(timeout, 0), () => over.abort());
  return { signal: over.signal, clear };
}

/** Calls `stop` once, when the signal comes; `done` waits for it. */
function stopOn(signal: AbortSignal, stop: () => Promise<void>): { readonly done: () => Promise<void> } {
  let stopped: Promise<void> | undefined;
  const start = () => {
    stopped ??= stop();
    // Awaited below; until then its failure is not unhandled.
    stopped.catch(() => {});
  };
  if (signal.aborted) start();
  else signal.addEventListener("abort", start, { once: true });
  return {
    done: async () => {
      signal.removeEventListener("abort", start);
      await stopped;
    },
  };
}
