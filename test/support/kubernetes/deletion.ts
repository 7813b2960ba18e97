import { z } from "zod";
import { numberAt, parseJson, textAt } from "./json.ts";
import { type KubeObject, timestamp } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { namespaces, pods, type Resource } from "./resource.ts";
import { badRequest, preconditionFailed } from "./status-error.ts";

const DeleteOptions = z.looseObject({
  gracePeriodSeconds: z.number().optional(),
  propagationPolicy: z.enum(["Orphan", "Background", "Foreground"]).optional(),
  preconditions: z.looseObject({ uid: z.string().optional(), resourceVersion: z.string().optional() }).optional(),
});
export type DeleteOptions = z.infer<typeof DeleteOptions>;

/** Options from the body, or from the query where there is none. Throws 400. */
export function parseDeleteOptions(text: string, query: URLSearchParams): DeleteOptions {
  const grace = query.get("gracePeriodSeconds");
  const parsed = DeleteOptions.safeParse(text === "" ? {} : bodyOf(text));
  if (!parsed.success) throw badRequest("DeleteOptions cannot be read");
  return { ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }), ...parsed.data };
}

function bodyOf(text: string) {
  try {
    return parseJson(text);
  } catch {
    throw badRequest("couldn't get version/kind; json parse error");
  }
}

const finalizers = { Orphan: "orphan", Foreground: "foregroundDeletion" };

/**
 * Deletes or begins to: a running pod is only marked, and its node agent removes it later; whatever has finalizers waits for them.
 * Returns the object as it is then. Throws 404 and 409.
 */
export function deleteObject(
  store: ObjectStore,
  resource: Resource,
  { namespace, name, options }: { readonly namespace: string | undefined; readonly name: string; readonly options: DeleteOptions },
): KubeObject {
  const current = store.get(resource, namespace, name);
  checkPreconditions(resource, current, options);
  const graceSeconds = graceOf(resource, current, options);
  const policy = options.propagationPolicy;
  if (resource === namespaces) return store.update(resource, { namespace, name }, terminating);
  const isHeld = (current.metadata.finalizers?.length ?? 0) > 0 || policy === "Orphan" || policy === "Foreground";
  if (resource !== pods && !isHeld) return store.remove(resource, namespace, name);
  const finalizer = policy === undefined || policy === "Background" ? undefined : finalizers[policy];
  const marked = store.update(resource, { namespace, name }, (object) => mark(object, graceSeconds, finalizer));
  if (graceSeconds > 0 || (marked.metadata.finalizers?.length ?? 0) > 0) return marked;
  return store.remove(resource, namespace, name);
}

/** Removes an object whose last finalizer is gone and that nobody stops any more. */
export function removeIfReleased(store: ObjectStore, resource: Resource, object: KubeObject): void {
  const { metadata } = object;
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers?.length ?? 0) > 0 || resource === namespaces) return;
  if ((metadata.deletionGracePeriodSeconds ?? 0) > 0) return;
  store.remove(resource, metadata.namespace, metadata.name);
}

function checkPreconditions(resource: Resource, current: KubeObject, { preconditions }: DeleteOptions): void {
  const { name, uid, resourceVersion } = current.metadata;
  const wanted = preconditions ?? {};
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw preconditionFailed(resource, name, why);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw preconditionFailed(resource, name, why);
  }
}

/** Nothing is left to stop where no node has the pod or all of it has ended. */
function graceOf(resource: Resource, current: KubeObject, options: DeleteOptions): number {
  if (resource !== pods) return 0;
  const phase = textAt(current, "status", "phase");
  if (textAt(current, "spec", "nodeName") === undefined || phase === "Succeeded" || phase === "Failed") return 0;
  return options.gracePeriodSeconds ?? numberAt(current, "spec", "terminationGracePeriodSeconds") ?? 30;
}

/** A namespace goes once it is empty. */
function terminating(object: KubeObject): KubeObject {
  if (object.metadata.deletionTimestamp !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: timestamp(Date.now()) }, status: { phase: "Terminating" } };
}

/** Marking again only ever shortens. */
function mark(object: KubeObject, graceSeconds: number, finalizer: string | undefined): KubeObject {
  const { metadata } = object;
  const before = metadata.deletionGracePeriodSeconds;
  if (metadata.deletionTimestamp !== undefined && before !== undefined && before <= graceSeconds) return object;
  const started = metadata.deletionTimestamp === undefined ? Date.now() : Date.parse(metadata.deletionTimestamp) - (before ?? 0) * 1000;
  return {
    ...object,
    metadata: {
      ...metadata,
      deletionTimestamp: timestamp(started + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(finalizer === undefined ? {} : { finalizers: [...(metadata.finalizers ?? []), finalizer] }),
    },
  };
}
