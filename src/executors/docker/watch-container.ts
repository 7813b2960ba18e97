import { setTimeout as delay } from "node:timers/promises";
import { endOfMain, type PodEnd } from "../pod-helper/main-command.ts";
import { containerEnd } from "./container-end.ts";
import { type Engine, statusOf } from "./engine.ts";

const retryMs = 500;

/** Resolves once the main container has ended or is gone, however often the daemon is away meanwhile. */
export async function watchContainer(engine: Engine, containerName: string, signal: AbortSignal): Promise<PodEnd> {
  const container = engine.getContainer(containerName);
  for (;;) {
    signal.throwIfAborted();
    try {
      await containerEnd(engine, containerName, signal);
      const { State } = await container.inspect({ abortSignal: signal });
      if (!State.Running) return endOf(State);
    } catch (error) {
      signal.throwIfAborted();
      if (statusOf(error) === 404) return { reason: "pod_lost", message: "the pod was removed" };
    }
    await delay(retryMs, undefined, { signal });
  }
}

function endOf({
  OOMKilled,
  ExitCode,
  Error: fault,
}: {
  readonly OOMKilled: boolean;
  readonly ExitCode: number;
  readonly Error: string;
}): PodEnd {
  if (OOMKilled) return { reason: "oom", message: "the container's memory was used up, and it was killed for it" };
  const end = endOfMain(ExitCode);
  if (end.reason !== "pod_lost") return end;
  if (fault !== "") return { ...end, message: `the container ended: ${fault}` };
  return { ...end, message: `the container was stopped (exit code ${ExitCode}): by somebody, or with its Docker daemon` };
}
