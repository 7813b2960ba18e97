import { endOfMain, type PodEnd } from "../pod-helper/main-command.ts";
import { mainContainer } from "./container-names.ts";
import type { ContainerStatus, ObservedPod } from "./observed-pod.ts";

/** How a pod is over that says so; undefined while its main container runs, or may yet. */
export function endOf(pod: ObservedPod): { readonly type: "ending" | "over"; readonly fault: PodEnd } | undefined {
  const { status } = pod;
  const isFinal = status?.phase === "Failed" || status?.phase === "Succeeded";
  const main = status?.containerStatuses?.find(({ name }) => name === mainContainer);
  const terminated = main?.state?.terminated ?? undefined;
  if (!isFinal && !terminated) return undefined;
  const end = podReason(pod) ?? (terminated && mainFault(terminated)) ?? helperFault(status?.initContainerStatuses ?? []);
  const known: PodEnd = end ?? { reason: "pod_lost", message: `the pod ended (${status?.phase}) without saying why` };
  // Until the pod is final, it may still turn out that it was evicted, or that its deadline had passed.
  return { type: isFinal || known.reason === "oom" ? "over" : "ending", fault: known };
}

/** What the platform says of the pod as a whole. */
function podReason({ status, spec }: ObservedPod): PodEnd | undefined {
  const message = status?.message || status?.reason || "";
  switch (status?.reason) {
    case "Evicted":
    case "Preempting":
    case "Terminated":
    case "NodeShutdown":
      return { reason: "evicted", message: `the pod was evicted from its node: ${message.trim()}` };
    case "DeadlineExceeded":
      return { reason: "timeout", message: `the pod's deadline has passed: ${message}` };
    case "NodeLost":
      return { reason: "pod_lost", message: `the pod's node was lost: ${message}` };
    case undefined:
    case null:
    case "":
      break;
    default:
      // The node would not take it: OutOfcpu, NodeAffinity, UnexpectedAdmissionError and their like.
      return { reason: "setup", message: `the node ${spec?.nodeName ?? ""} refused the pod: ${status?.reason}: ${message}` };
  }
  const disrupted = status?.conditions?.find(({ type, status: is }) => type === "DisruptionTarget" && is === "True");
  if (!disrupted) return undefined;
  const why = `${disrupted.reason ?? "disrupted"}: ${disrupted.message ?? ""}`;
  if (disrupted.reason === "DeletionByPodGC") return { reason: "pod_lost", message: `the pod's node is gone: ${why}` };
  return { reason: "evicted", message: `the pod was evicted: ${why}` };
}

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

function mainFault({ reason, exitCode, message }: Terminated): PodEnd {
  const words = message ? `: ${message}` : "";
  if (reason === "OOMKilled") return { reason: "oom", message: "the main container was killed: it needed more memory than its limit" };
  if (reason === "StartError" || reason === "ContainerCannotRun") {
    return { reason: "setup", message: `the main container could not be started${words}` };
  }
  if (reason === "ContainerStatusUnknown") return { reason: "pod_lost", message: `nobody knows how the main container ended${words}` };
  return endOfMain(exitCode);
}

function helperFault(statuses: readonly ContainerStatus[]): PodEnd | undefined {
  for (const { name, state } of statuses) {
    const { terminated } = state ?? {};
    if (terminated && terminated.exitCode !== 0) {
      const why = terminated.message ?? terminated.reason ?? "";
      return { reason: "setup", message: `${name} failed with exit code ${terminated.exitCode}: ${why}` };
    }
  }
  return undefined;
}
