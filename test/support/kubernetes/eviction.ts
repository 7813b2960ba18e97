import { deleteObject, parseDeleteOptions } from "./deletion.ts";
import { type JsonObject, listAt, objectAt } from "./json.ts";
import { timestamp } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { pods } from "./resource.ts";

/** Evicts a pod: a condition that says so, then a deletion. Throws 404 and 409. */
export function evictPod(
  store: ObjectStore,
  at: { readonly namespace: string | undefined; readonly name: string },
  body: JsonObject,
): JsonObject {
  const options = parseDeleteOptions(JSON.stringify(objectAt(body, "deleteOptions")), new URLSearchParams());
  const { uid } = store.get(pods, at.namespace, at.name).metadata;
  if (options.preconditions?.uid !== undefined && options.preconditions.uid !== uid) deleteObject(store, pods, { ...at, options });
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: timestamp(Date.now()),
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
  };
  store.update(pods, at, (pod) => ({ ...pod, status: { ...pod.status, conditions: [...listAt(pod, "status", "conditions"), condition] } }));
  deleteObject(store, pods, { ...at, options });
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}
