import type { AttemptReason } from "../../runs/outcome.ts";
import type { PodSpec } from "../driver.ts";
import { busybox } from "./pod-layout.ts";

/** How the main process ends by itself. */
const exitCodes = { deadline: 90, lease: 91 } as const;

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
  const seconds = [startBy, deadlineAt, fenceMs].map((ms) => String(Math.ceil(ms / 1000)));
  return [busybox, "sh", "-c", "", "ostler-main", ...seconds];
}

/** Why the pod is over whose main process has exited with this code, if nothing else is known about it. */
export function endOfMain(exitCode: number): PodEnd {
  if (exitCode === exitCodes.deadline) return { reason: "timeout", message: "the pod's deadline has passed" };
  if (exitCode === exitCodes.lease) return { reason: "executor_lost", message: "the pod's time ran out while its executor was away" };
  return { reason: "pod_lost", message: `the pod's main process ended with ${exitCode}` };
}
