import { deleteObject, removeIfReleased } from "./deletion.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ObjectStore, StoreEvent } from "./object-store.ts";
import { events, type Resource, resources } from "./resource.ts";

interface Found {
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** Deletes what has lost its owners, a few milliseconds after they are really gone. Returns the way to stop it. */
export function startGarbageCollector(store: ObjectStore): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const soon = (work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, 2);
    timers.add(timer);
  };
  const stop = store.onChange((event) => {
    if (event.resource === events) return;
    if (event.type === "DELETED") soon(() => collectDependents(store, event.object.metadata.uid));
    else if (event.type === "ADDED" && (event.object.metadata.ownerReferences?.length ?? 0) > 0) soon(() => collectIfOrphan(store, event));
    else if (event.object.metadata.deletionTimestamp !== undefined) soon(() => finalise(store, event));
  });
  return () => {
    stop();
    for (const timer of timers) clearTimeout(timer);
  };
}

/** Events belong to nobody and own nothing. */
const collected = resources.filter((resource) => resource !== events);

function everything(store: ObjectStore): readonly Found[] {
  return collected.flatMap((resource) => [...store.all(resource)].map((object) => ({ resource, object })));
}

function dependentsOf(store: ObjectStore, uid: string): readonly Found[] {
  return everything(store).filter(({ object }) => object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true);
}

function collectDependents(store: ObjectStore, uid: string): void {
  for (const { resource, object } of dependentsOf(store, uid)) remove(store, resource, object);
}

function collectIfOrphan(store: ObjectStore, { resource, object }: StoreEvent): void {
  const uids = new Set(everything(store).map((other) => other.object.metadata.uid));
  if (object.metadata.ownerReferences?.every((owner) => !uids.has(owner.uid)) === true) remove(store, resource, object);
}

/** What a deletion with the policies Orphan and Foreground waits for. */
function finalise(store: ObjectStore, { resource, object }: StoreEvent): void {
  const finalizers = object.metadata.finalizers ?? [];
  const mine: readonly string[] = finalizers.filter((finalizer) => finalizer === "orphan" || finalizer === "foregroundDeletion");
  const { namespace, name, uid } = object.metadata;
  if (mine.length === 0 || store.find(resource, namespace, name)?.metadata.uid !== uid) return;
  for (const dependent of dependentsOf(store, uid)) {
    if (mine.includes("orphan")) disown(store, dependent, uid);
    else remove(store, dependent.resource, dependent.object);
  }
  const released = store.update(resource, { namespace, name }, (current) => withFinalizers(current, (one) => !mine.includes(one)));
  removeIfReleased(store, resource, released);
}

function disown(store: ObjectStore, { resource, object }: Found, uid: string): void {
  store.update(resource, { namespace: object.metadata.namespace, name: object.metadata.name }, (current) => {
    const { ownerReferences, ...metadata } = current.metadata;
    const left = ownerReferences?.filter((owner) => owner.uid !== uid) ?? [];
    return { ...current, metadata: left.length > 0 ? { ...metadata, ownerReferences: left } : metadata };
  });
}

/** The object with those of its finalizers that stay. */
function withFinalizers(object: KubeObject, stays: (finalizer: string) => boolean): KubeObject {
  const { finalizers, ...metadata } = object.metadata;
  const left = finalizers?.filter(stays) ?? [];
  return { ...object, metadata: left.length > 0 ? { ...metadata, finalizers: left } : metadata };
}

function remove(store: ObjectStore, resource: Resource, object: KubeObject): void {
  const { namespace, name, uid } = object.metadata;
  if (store.find(resource, namespace, name)?.metadata.uid !== uid) return;
  deleteObject(store, resource, { namespace, name, options: {} });
}
