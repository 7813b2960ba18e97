import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import type { Nodes } from "./nodes.ts";
import type { ObservedPod } from "./observed-pod.ts";
import { insist } from "./patience.ts";
import { deletePod, findPod, keyOf } from "./pod-calls.ts";
import type { PodKey, PodWatch } from "./pod-watch.ts";

/** A node agent needs two or three seconds beyond the grace; a busy one longer. */
const marginMs = 30_000;
/** More than one call that is not answered at all. */
const callLimitMs = 40_000;
/** A node that does not answer is not waited for, but for what was on its way. */
const unreachableMs = 10_000;
const pollMs = 500;

export interface Removal {
  readonly cluster: Cluster;
  readonly nodes: Nodes;
  /** The watch that the pod is in, if there is one. */
  readonly watchOf: (pod: ObservedPod) => PodWatch | undefined;
}

/**
 * Resolves once the pod's object is gone, which proves that none of its containers run: it is never removed by force.
 * Throws if the pod is still there some time after its grace; that of a node that does not answer stays until the node is back.
 */
export async function removePod(
  { cluster, nodes, watchOf }: Removal,
  { name, uid, graceMs }: { readonly name: string; readonly uid: string | undefined; readonly graceMs: number },
  signal: AbortSignal,
): Promise<void> {
  const pod = await insist(() => deletePod(cluster, { name, graceMs, ...(uid !== undefined && { uid }) }, signal), callLimitMs, signal);
  if (!pod) return;
  const node = pod.spec?.nodeName ?? "";
  const isReachable = node === "" || nodes.answers(node);
  const late = AbortSignal.timeout(isReachable ? graceMs + marginMs : unreachableMs);
  const watch = watchOf(pod);
  try {
    const until = AbortSignal.any([signal, late]);
    // A watch that has only just been opened may not know it yet.
    watch?.note(pod);
    if (watch) await watch.when(keyOf(pod), (seen) => (seen ? undefined : true), until);
    else await pollUntilGone(cluster, keyOf(pod), until);
  } catch (error) {
    signal.throwIfAborted();
    if (!late.aborted) throw error;
    const why = isReachable
      ? "its node has not ended it yet"
      : `its node ${node} does not answer: it may run until that is back, or removed`;
    throw new Error(`pod ${name} is being removed, but ${why}`, { cause: error });
  }
}

async function pollUntilGone(cluster: Cluster, { name, uid }: PodKey, signal: AbortSignal): Promise<void> {
  for (;;) {
    const found = await insist(() => findPod(cluster, name, signal), callLimitMs, signal);
    if (found?.metadata.uid !== uid) return;
    await delay(pollMs, undefined, { signal });
  }
}
