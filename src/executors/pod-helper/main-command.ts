import type { AttemptReason } from "../../runs/outcome.ts";
import type { PodSpec } from "../driver.ts";
import { busybox } from "./pod-layout.ts";
import { scripts } from "./script.ts";

/** How the main process ends by itself (see main.sh). */
const exitCodes = { deadline: 90, lease: 91 } as const;

/** The clock is looked at this often at least; a deadline or lease may end so much later. */
const maxLookSeconds = 5;
/** What steps get to end by themselves once the pod's time is over. */
const graceSeconds = 10;

/** Why a pod is over, in words for its user. */
export interface PodEnd {
  readonly reason: AttemptReason;
  readonly message: string;
}

/**
 * The arguments of the pod's main container, in place of its entrypoint and command (Kubernetes: escape `$(` as `$$(`).
 * It keeps the pod alive, ends it at its deadline or when its lease has run out, and on SIGTERM asks all that runs to end.
 */
export function mainCommand({ startBy, deadlineAt, fenceMs }: Pick<PodSpec, "startBy" | "deadlineAt" | "fenceMs">): readonly string[] {
  const look = Math.max(1, Math.min(maxLookSeconds, Math.floor(fenceMs / 4_000)));
  const seconds = [...[startBy, deadlineAt, fenceMs].map((ms) => Math.ceil(ms / 1000)), look, graceSeconds];
  return [busybox, "sh", "-c", scripts.pod + scripts.main, "ostler-main", ...seconds.map(String)];
}

/** Why the pod is over whose main process has exited with this code, if nothing else is known about it. */
export function endOfMain(exitCode: number): PodEnd {
  if (exitCode === exitCodes.deadline) return { reason: "timeout", message: "the pod's deadline has passed" };
  if (exitCode === exitCodes.lease) return { reason: "executor_lost", message: "the pod's time ran out while its executor was away" };
  return { reason: "pod_lost", message: `the pod's main process ended with exit code ${exitCode}` };
}

/** The arguments of a service's container: `command`, which is ended at the pod's deadline (ms), even if everybody else is dead. */
export function serviceCommand(deadlineAt: number, command: readonly string[]): readonly string[] {
  return [busybox, "sh", "-c", scripts.pod + scripts.service, "ostler-service", String(Math.ceil(deadlineAt / 1000)), ...command];
}
