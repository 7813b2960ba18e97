import { removeIfReleased } from "./deletion.ts";
import { callersPart, type Draft, draftOf, newObject } from "./draft.ts";
import { type JsonObject, textAt } from "./json.ts";
import type { KubeObject, Metadata } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { applyPatch } from "./patch.ts";
import { admitPod } from "./pod-admission.ts";
import { admitPodUpdate } from "./pod-update.ts";
import { apiVersionOf, configMaps, namespaces, pods, type Resource, secrets, serviceAccounts } from "./resource.ts";
import { admitConfigMap, admitSecret, admitSecretUpdate } from "./secret-admission.ts";
import { badRequest, conflict, invalid, invalidValue, notFound, StatusError } from "./status-error.ts";

/** Where an object is. */
export interface Place {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Creates an object with its kind's defaults. Throws 400, 403, 404, 409 and 422. */
export function createObject(store: ObjectStore, place: Omit<Place, "name">, draft: Draft, dryRun: boolean): KubeObject {
  const { resource, namespace } = place;
  const object = admit(resource, newObject(draft, resource, namespace));
  checkNamespace(store, resource, namespace, object.metadata.name);
  if (resource === pods) checkServiceAccount(store, object);
  if (dryRun) return object;
  return store.create(resource, object);
}

/** Replaces an object. Throws 400, 404, 409 and 422. */
export function replaceObject(store: ObjectStore, place: Place, draft: Draft, subresource: string | undefined): KubeObject {
  const { namespace, name } = place;
  if (draft.metadata.name !== undefined && draft.metadata.name !== name) {
    throw badRequest(`the name of the object (${draft.metadata.name}) does not match the name on the URL (${name})`);
  }
  if (draft.metadata.namespace !== undefined && draft.metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return change(store, place, (current) => next(place, draft, { current, subresource }));
}

/** Changes an object by a patch. Throws 400, 404, 409, 415 and 422. */
export function patchObject(
  store: ObjectStore,
  place: Place,
  patch: { readonly contentType: string; readonly text: string; readonly subresource: string | undefined },
): KubeObject {
  return change(store, place, (current) => {
    const patched = applyPatch(current, patch.contentType, patch.text);
    return next(place, draftOf(patched, place.resource), { current, subresource: patch.subresource });
  });
}

function change(store: ObjectStore, { resource, namespace, name }: Place, make: (current: KubeObject) => KubeObject): KubeObject {
  const changed = store.update(resource, { namespace, name }, make);
  removeIfReleased(store, resource, changed);
  return changed;
}

function admit(resource: Resource, object: KubeObject): KubeObject {
  if (resource === pods) return admitPod(object);
  if (resource === secrets) return admitSecret(object);
  if (resource === configMaps) return admitConfigMap(object);
  if (resource === namespaces) return { ...object, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
  return object;
}

/** The content after a write; what callers may not decide stays as it is. */
function next(
  { resource }: Place,
  draft: Draft,
  { current, subresource }: { readonly current: KubeObject; readonly subresource: string | undefined },
): KubeObject {
  checkVersion(resource, draft, current);
  if (subresource === "status") return { ...current, status: statusOf(draft) };
  const object: KubeObject = {
    ...draft.rest,
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: metadataOf(draft, current),
  };
  if (resource === pods) return admitPodUpdate(object, current);
  if (resource === secrets) return admitSecretUpdate(object, current);
  if (resource.kind === "Node" && current.status !== undefined) return { ...object, status: current.status };
  return object;
}

function statusOf(draft: Draft): JsonObject {
  const { status } = draft.rest;
  return typeof status === "object" && status !== null && !Array.isArray(status) ? Object.fromEntries(Object.entries(status)) : {};
}

function checkVersion(resource: Resource, draft: Draft, current: KubeObject): void {
  const { uid, resourceVersion } = draft.metadata;
  const { name } = current.metadata;
  if ((resourceVersion ?? "") !== "" && resourceVersion !== current.metadata.resourceVersion) throw conflict(resource, name);
  if (uid !== undefined && uid !== current.metadata.uid) {
    const cause = invalidValue("metadata.uid", JSON.stringify(uid), "field is immutable");
    throw invalid(resource, name, [cause, cause]);
  }
}

function metadataOf(draft: Draft, current: KubeObject): Metadata {
  const { labels: _labels, annotations: _annotations, ownerReferences: _owners, finalizers: _finalizers, ...fixed } = current.metadata;
  return { ...fixed, ...callersPart(draft.metadata) };
}

function checkNamespace(store: ObjectStore, resource: Resource, namespace: string | undefined, name: string): void {
  if (namespace === undefined) return;
  const home = store.find(namespaces, undefined, namespace);
  if (home === undefined) throw notFound(namespaces, namespace);
  if (home.metadata.deletionTimestamp === undefined) return;
  const message = `${resource.plural} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  const cause = { reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" };
  throw new StatusError({ code: 403, reason: "Forbidden", message, details: { name, kind: resource.plural, causes: [cause] } });
}

function checkServiceAccount(store: ObjectStore, pod: KubeObject): void {
  const { namespace, name } = pod.metadata;
  const account = textAt(pod, "spec", "serviceAccountName") ?? "default";
  if (store.find(serviceAccounts, namespace, account) !== undefined) return;
  const message = `pods "${name}" is forbidden: error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
  throw new StatusError({ code: 403, reason: "Forbidden", message, details: { name, kind: "pods" } });
}
