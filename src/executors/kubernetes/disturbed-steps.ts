import type { PodHandle, StepEnd } from "../driver.ts";
import { whenOver } from "./pod-start.ts";
import type { PodKey, PodWatch } from "./pod-watch.ts";

/** How 128 plus the signal tells that a step was ended from outside. */
const signalled = [143, 137, 130];
/** The watch may be later than the signal. */
const newsMs = 500;
/** Time for the platform's own last word. */
const lastWordMs = 10_000;

/**
 * Whoever removes or evicts a pod asks its processes to end first, and steps that do so have not failed: their end is the pod's.
 * One that has ended well all the same has done its work.
 */
export function endWithPod(pod: PodHandle, where: { readonly pods: PodWatch; readonly key: PodKey }): PodHandle {
  const isGoing = (limitMs: number, signal: AbortSignal): Promise<boolean> => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    return where.pods.when(where.key, (seen) => (!seen || seen.metadata.deletionTimestamp ? true : undefined), late).catch(() => false);
  };
  const whyOver = async (end: StepEnd, signal: AbortSignal): Promise<StepEnd> => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(lastWordMs)]);
    const known = await whenOver(where, late).catch(() => undefined);
    signal.throwIfAborted();
    if (known) return { type: "gone", ...known };
    return end.type === "gone" ? end : { type: "gone", reason: "pod_lost", message: "the pod was being removed when the step ended" };
  };
  return {
    ...pod,
    waitStep: async (index, signal) => {
      const end = await pod.waitStep(index, signal);
      if (end.type === "gone") return end.reason === "pod_lost" ? whyOver(end, signal) : end;
      if (end.exitCode === 0) return end;
      return (await isGoing(signalled.includes(end.exitCode) ? newsMs : 0, signal)) ? whyOver(end, signal) : end;
    },
  };
}
