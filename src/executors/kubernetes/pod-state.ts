import type { PodEnd } from "../pod-helper/main-command.ts";
import { doubtOf, faultOf } from "./container-faults.ts";
import { containerTitle, helperContainer, mainContainer } from "./container-names.ts";
import type { ContainerStatus, ObservedPod } from "./observed-pod.ts";
import { endOf } from "./pod-end.ts";

/**
 * What a pod's object says of it:
 * - `starting`: `waitsFor` is for the user; a `doubt` is a fault that may pass, and counts once it has lasted `patienceMs`
 * - `running`: the main container runs, and its services are ready
 * - `ending`: the main container is over; the pod's own last word, which tells why, comes soon
 * - `over`: nothing of it runs any more, or ever will
 */
export type PodState =
  | { readonly type: "starting"; readonly waitsFor?: string; readonly doubt?: PodEnd & { readonly patienceMs: number } }
  | { readonly type: "running" }
  | { readonly type: "ending"; readonly fault: PodEnd }
  | { readonly type: "over"; readonly fault: PodEnd };

export function stateOf(pod: ObservedPod): PodState {
  const end = endOf(pod);
  if (end) return end;
  const statuses = containersOf(pod);
  const main = statuses.find(({ name }) => name === mainContainer);
  const isMainUp = main?.state?.running !== undefined && main.state.running !== null;
  const fault = isMainUp ? undefined : firstOf(statuses, faultOf);
  if (fault) return { type: "over", fault };
  const unready = statuses.find((status) => isService(status) && !isReady(status));
  if (isMainUp && (!unready || isNativeSidecar(pod, unready))) return { type: "running" };
  const doubt = firstOf(statuses, doubtOf) ?? (isMainUp && unready ? unreadyDoubt(pod, unready) : undefined);
  const service = unready?.state?.running ? `${containerTitle(unready.name)} to be ready` : undefined;
  const waitsFor = service ?? doubt?.message ?? schedulingOf(pod);
  return { type: "starting", ...(waitsFor !== undefined && { waitsFor }), ...(doubt && { doubt }) };
}

/** A server without native sidecars never gives up a service that is not ready. */
function unreadyDoubt({ spec }: ObservedPod, { name }: ContainerStatus): (PodEnd & { readonly patienceMs: number }) | undefined {
  const { periodSeconds, failureThreshold } = spec?.containers?.find((container) => container.name === name)?.readinessProbe ?? {};
  if (!periodSeconds || !failureThreshold) return undefined;
  const seconds = periodSeconds * failureThreshold;
  return { reason: "setup", message: `${containerTitle(name)} was not ready within ${seconds} s`, patienceMs: seconds * 1_000 };
}

function containersOf({ status }: ObservedPod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function firstOf<T>(statuses: readonly ContainerStatus[], judge: (status: ContainerStatus) => T | undefined): T | undefined {
  for (const status of statuses) {
    const found = judge(status);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isService({ name }: ContainerStatus): boolean {
  return name !== mainContainer && name !== helperContainer;
}

/** The server starts the main container only once these are ready; whether they still are is their own affair. */
function isNativeSidecar({ status }: ObservedPod, { name }: ContainerStatus): boolean {
  return status?.initContainerStatuses?.some((other) => other.name === name) ?? false;
}

/** A service that has ended is waited for no longer. */
function isReady({ ready, state }: ContainerStatus): boolean {
  return ready === true || (state?.terminated !== undefined && state.terminated !== null);
}

function schedulingOf({ status, spec }: ObservedPod): string | undefined {
  if (spec?.nodeName) return undefined;
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  return scheduled?.status === "False" ? `a node: ${scheduled.message ?? scheduled.reason ?? "none fits"}` : undefined;
}
