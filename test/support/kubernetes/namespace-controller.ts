import { randomUUID } from "node:crypto";
import { deleteObject } from "./deletion.ts";
import { timestamp } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { namespaces, resources, serviceAccounts } from "./resource.ts";

/** How long a real cluster waits before it empties a namespace, and between two looks. */
const emptyAfterMs = 5000;

/** Gives new namespaces their default account, and empties those that are deleted. Returns the way to stop it. */
export function startNamespaceController(store: ObjectStore, speed: number): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };
  const empty = (name: string) => {
    const contents = resources
      .filter(({ namespaced }) => namespaced)
      .flatMap((resource) => store.list(resource, name).map((object) => ({ resource, object })));
    for (const { resource, object } of contents) {
      if (object.metadata.deletionTimestamp === undefined)
        deleteObject(store, resource, { namespace: name, name: object.metadata.name, options: {} });
    }
    if (contents.length > 0) later(emptyAfterMs / speed / 5, () => empty(name));
    else if (store.find(namespaces, undefined, name) !== undefined) store.remove(namespaces, undefined, name);
  };
  const stop = store.onChange(({ resource, type, object, previous }) => {
    if (resource !== namespaces) return;
    const { name, deletionTimestamp } = object.metadata;
    if (type === "ADDED") later(10, () => addDefaultAccount(store, name));
    if (type !== "MODIFIED" || deletionTimestamp === undefined || previous?.metadata.deletionTimestamp !== undefined) return;
    later(emptyAfterMs / speed, () => empty(name));
  });
  return () => {
    stop();
    for (const timer of timers) clearTimeout(timer);
  };
}

function addDefaultAccount(store: ObjectStore, namespace: string): void {
  if (store.find(serviceAccounts, namespace, "default") !== undefined) return;
  const metadata = { name: "default", namespace, uid: randomUUID(), creationTimestamp: timestamp(Date.now()) };
  store.create(serviceAccounts, { kind: "ServiceAccount", apiVersion: "v1", metadata });
}
