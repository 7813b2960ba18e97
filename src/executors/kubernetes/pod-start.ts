import { PodError } from "../driver.ts";
import type { PodEnd } from "../pod-helper/main-command.ts";
import type { ObservedPod } from "./observed-pod.ts";
import { endOf } from "./pod-end.ts";
import { stateOf } from "./pod-state.ts";
import type { PodKey, PodWatch } from "./pod-watch.ts";

/** Time for the pod's own last word after its main container's. */
const lastWordMs = 5_000;

/** Resolves with the pod once its main container runs and its services are ready. Throws PodError if that cannot be any more. */
export async function whenRunning(
  { pods, key }: { readonly pods: PodWatch; readonly key: PodKey },
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<ObservedPod> {
  const impatient = new AbortController();
  let doubted: NodeJS.Timeout | undefined;
  let told: string | undefined;
  const judge = (pod: ObservedPod | undefined): ObservedPod | undefined => {
    if (!pod) throw toError(lastWord(pods, key));
    const state = stateOf(pod);
    if (state.type === "running") return pod;
    if (state.type !== "starting") throw toError(state.fault);
    const { doubt, waitsFor } = state;
    if (waitsFor !== undefined && waitsFor !== told) onProgress(`waiting for ${waitsFor}`);
    told = waitsFor ?? told;
    if (!doubt) clearTimeout(doubted);
    if (doubt && !doubted) doubted = setTimeout(() => impatient.abort(toError(doubt)), doubt.patienceMs);
    else if (!doubt) doubted = undefined;
    return undefined;
  };
  try {
    return await pods.when(key, judge, AbortSignal.any([signal, impatient.signal]));
  } finally {
    clearTimeout(doubted);
  }
}

/** Resolves with why the pod is over, once it is. */
export async function whenOver({ pods, key }: { readonly pods: PodWatch; readonly key: PodKey }, signal: AbortSignal): Promise<PodEnd> {
  const judge = (pod: ObservedPod | undefined) => (pod ? endOf(pod) : { type: "over" as const, fault: lastWord(pods, key) });
  const first = await pods.when(key, judge, signal);
  if (first.type === "over") return first.fault;
  const late = AbortSignal.any([signal, AbortSignal.timeout(lastWordMs)]);
  const final = (pod: ObservedPod | undefined) => {
    const end = judge(pod);
    return end?.type === "over" ? end.fault : undefined;
  };
  return await pods.when(key, final, late).catch((error: unknown) => {
    signal.throwIfAborted();
    if (late.aborted) return first.fault;
    throw error;
  });
}

/** Why a pod is gone, by what was last seen of it. */
function lastWord(pods: PodWatch, key: PodKey): PodEnd {
  const last = pods.lastSeen(key);
  return (last && endOf(last)?.fault) ?? { reason: "pod_lost", message: "the pod was removed" };
}

function toError({ reason, message }: PodEnd): PodError {
  return new PodError(reason, message);
}
