import { type KubeObject, timestamp } from "../kube-object.ts";
import type { ObjectStore } from "../object-store.ts";
import { pods } from "../resource.ts";
import type { NodeHome } from "./node-home.ts";
import { pause, roundMs } from "./pacing.ts";

const never = new AbortController().signal;

/** Removes the object of a pod that has ended: its grace is none any more, and then it is gone, unless finalizers hold it. */
export async function removePod({ store, pacing, whenReachable }: NodeHome, pod: KubeObject): Promise<void> {
  await pause(roundMs / 2 / pacing.speed, never);
  await whenReachable();
  if (!isThere(store, pod)) return;
  const { namespace, name } = pod.metadata;
  const object = store.update(pods, { namespace, name }, (current) => {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = current.metadata;
    const at = Date.parse(deletionTimestamp ?? timestamp(Date.now())) - deletionGracePeriodSeconds * 1000;
    return { ...current, metadata: { ...current.metadata, deletionTimestamp: timestamp(at), deletionGracePeriodSeconds: 0 } };
  });
  if ((object.metadata.finalizers?.length ?? 0) === 0) store.remove(pods, namespace, name);
}

/** Is this very pod still there, and not another of its name? */
export function isThere(store: ObjectStore, { metadata }: KubeObject): boolean {
  return store.find(pods, metadata.namespace, metadata.name)?.metadata.uid === metadata.uid;
}
