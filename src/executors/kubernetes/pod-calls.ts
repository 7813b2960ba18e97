import { z } from "zod";
import { PodError, type PodSpec } from "../driver.ts";
import { ApiError, isStatus } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { ObservedPod } from "./observed-pod.ts";
import { insist } from "./patience.ts";
import { labelsOf, recordOf } from "./pod-labels.ts";
import { type ManifestFacts, podManifest } from "./pod-manifest.ts";
import { hasSecret, podSecret } from "./pod-secret.ts";
import type { PodKey } from "./pod-watch.ts";

/** How long a start goes on asking a server that does not answer: the run's own limit for starts is shorter by default. */
const startLimitMs = 10 * 60_000;

export function podsPath({ namespace }: Cluster): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

export function keyOf({ metadata: { name, uid } }: ObservedPod): PodKey {
  return { name, uid };
}

/** Undefined if there is none. */
export async function findPod(cluster: Cluster, name: string, signal: AbortSignal): Promise<ObservedPod | undefined> {
  try {
    return ObservedPod.parse(await cluster.api.call({ method: "GET", path: `${podsPath(cluster)}/${name}` }, signal));
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

export interface CreatedPod {
  readonly pod: ObservedPod;
  /** False if it was there already. */
  readonly isNew: boolean;
}

/** Creates the pod, then its secret, which belongs to it: whoever dies in between leaves a pod that waits, and is removed. */
export async function createPod(
  cluster: Cluster,
  { spec, facts }: { readonly spec: PodSpec; readonly facts: ManifestFacts },
  signal: AbortSignal,
): Promise<CreatedPod> {
  const body = podManifest(spec, facts);
  try {
    const created = await insist(() => postPod(cluster, { spec, body }, signal), startLimitMs, signal);
    if (hasSecret(spec)) await insist(() => postSecret(cluster, { spec, pod: created.pod }, signal), startLimitMs, signal);
    return created;
  } catch (error) {
    throw error instanceof ApiError ? refusalOf(error) : error;
  }
}

async function postPod(
  cluster: Cluster,
  { spec, body }: { readonly spec: PodSpec; readonly body: unknown },
  signal: AbortSignal,
): Promise<CreatedPod> {
  try {
    const pod = ObservedPod.parse(await cluster.api.call({ method: "POST", path: podsPath(cluster), body }, signal));
    return { pod, isNew: true };
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    // Made by an earlier call, whose answer may have been lost.
    const found = await findPod(cluster, spec.id, signal);
    if (!found) throw new PodError("pod_lost", "the pod was removed while it was started", { cause: error });
    if (recordOf(found)?.owner.installation === spec.owner.installation && !found.metadata.deletionTimestamp)
      return { pod: found, isNew: false };
    throw new PodError("pod_lost", `a pod named ${spec.id} is there, and is being removed or not ours`, { cause: error });
  }
}

async function postSecret(cluster: Cluster, { spec, pod }: { readonly spec: PodSpec; readonly pod: ObservedPod }, signal: AbortSignal) {
  const body = podSecret(spec, keyOf(pod), labelsOf(spec.owner));
  try {
    await cluster.api.call({ method: "POST", path: `/api/v1/namespaces/${cluster.namespace}/secrets`, body }, signal);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}

/** A refusal for good. What the task asks for can be wrong (422, or a policy), or what the executor may do, or the cluster is full. */
function refusalOf(error: ApiError): PodError {
  const message = `Kubernetes refuses the pod: ${error.message}`;
  if (error.status === 403 && !/violates PodSecurity|admission webhook|denied the request/.test(error.message)) {
    return new PodError("setup", message, { cause: error });
  }
  return new PodError(error.status === 404 ? "setup" : "config", message, { cause: error });
}

const Deleted = z.object({ metadata: z.object({ uid: z.string().optional() }) });

/** Asks for the pod's removal; undefined if there is none (any more) of that uid. Never by force: that would prove nothing. */
export async function deletePod(
  cluster: Cluster,
  { name, uid, graceMs }: { readonly name: string; readonly uid?: string; readonly graceMs: number },
  signal: AbortSignal,
): Promise<ObservedPod | undefined> {
  const body = {
    // Zero seconds would take the object away while its containers may run on.
    gracePeriodSeconds: Math.max(1, Math.ceil(graceMs / 1_000)),
    ...(uid !== undefined && { preconditions: { uid } }),
  };
  try {
    const answer = await cluster.api.call({ method: "DELETE", path: `${podsPath(cluster)}/${name}`, body }, signal);
    Deleted.parse(answer);
    return ObservedPod.safeParse(answer).data;
  } catch (error) {
    // 409: another pod has that name by now.
    if (isStatus(error, 404, 409)) return undefined;
    throw error;
  }
}
