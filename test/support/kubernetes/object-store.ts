import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "./kube-object.ts";
import type { Resource } from "./resource.ts";
import { alreadyExists, notFound } from "./status-error.ts";

/** One change of one object. `previous` is what it was before. */
export interface StoreEvent {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

/** How many changes are kept for watches that start from an older version. */
const historyLength = 8_000;

/**
 * All objects of the cluster under one counter: every write that changes something takes the next resourceVersion,
 * deletions too. Objects are never changed in place.
 */
export class ObjectStore {
  #version = 1;
  /** Versions up to this one are gone from the history. */
  #forgotten = 1;
  #history: StoreEvent[] = [];
  readonly #objects = new Map<Resource, Map<string, KubeObject>>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();

  get version(): number {
    return this.#version;
  }

  /** The oldest version that a watch may start from. */
  get oldest(): number {
    return this.#forgotten;
  }

  find(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#of(resource).get(keyOf(namespace, name));
  }

  /** Throws 404. */
  get(resource: Resource, namespace: string | undefined, name: string): KubeObject {
    const found = this.find(resource, namespace, name);
    if (found === undefined) throw notFound(resource, name);
    return found;
  }

  /** Objects of a kind in no order. */
  all(resource: Resource): Iterable<KubeObject> {
    return this.#of(resource).values();
  }

  count(resource: Resource): number {
    return this.#of(resource).size;
  }

  /** Objects of a kind, by namespace and then name. */
  list(resource: Resource, namespace?: string): readonly KubeObject[] {
    return inOrder(this.#of(resource), namespace);
  }

  /** As `list`, as it was at an earlier version that is still in the history. */
  listAt(version: number, resource: Resource, namespace?: string): readonly KubeObject[] {
    const then = new Map(this.#of(resource));
    for (const event of this.#history.toReversed()) {
      if (event.version <= version) break;
      if (event.resource !== resource) continue;
      const key = keyOf(event.object.metadata.namespace, event.object.metadata.name);
      if (event.previous === undefined) then.delete(key);
      else then.set(key, event.previous);
    }
    return inOrder(then, namespace);
  }

  /** Throws 409 AlreadyExists. */
  create(resource: Resource, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    const existing = this.find(resource, namespace, name);
    if (existing !== undefined) throw alreadyExists(resource, name, existing.metadata.deletionTimestamp !== undefined);
    return this.#write("ADDED", resource, object, undefined);
  }

  /** Replaces what is there by what `change` makes of it. The same content is no write. Throws 404. */
  update(resource: Resource, at: { readonly namespace: string | undefined; readonly name: string }, change: Change): KubeObject {
    const current = this.get(resource, at.namespace, at.name);
    const next = change(current);
    if (isDeepStrictEqual(unversioned(next), unversioned(current))) return current;
    return this.#write("MODIFIED", resource, next, current);
  }

  /** Removes it. Throws 404. */
  remove(resource: Resource, namespace: string | undefined, name: string): KubeObject {
    const current = this.get(resource, namespace, name);
    return this.#write("DELETED", resource, current, current);
  }

  /** Changes of a kind after a version, in order. */
  since(version: number, resource: Resource): readonly StoreEvent[] {
    return this.#history.filter((event) => event.version > version && event.resource === resource);
  }

  /** The version of the newest change of a kind, or of the oldest that is known. */
  newestOf(resource: Resource): number {
    return this.#history.findLast((event) => event.resource === resource)?.version ?? this.#forgotten;
  }

  /** Told of every change at once and in order. Returns the way to stop. */
  onChange(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Watches from versions before now are answered with 410 from here on, as after a compaction and a restart. */
  forgetHistory(): void {
    this.#history = [];
    this.#forgotten = this.#version;
  }

  /** Lists and tokens of older versions are gone from here on, whereas watches still work. */
  compactedAt = 0;
  compact(): void {
    this.compactedAt = this.#version;
  }

  #of(resource: Resource): Map<string, KubeObject> {
    const found = this.#objects.get(resource);
    if (found !== undefined) return found;
    const made = new Map<string, KubeObject>();
    this.#objects.set(resource, made);
    return made;
  }

  #write(type: StoreEvent["type"], resource: Resource, content: KubeObject, previous: KubeObject | undefined): KubeObject {
    this.#version += 1;
    const version = this.#version;
    const object = { ...content, metadata: { ...content.metadata, resourceVersion: String(version) } };
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    if (type === "DELETED") this.#of(resource).delete(key);
    else this.#of(resource).set(key, object);
    const event: StoreEvent = { version, type, resource, object, previous };
    this.#history.push(event);
    if (this.#history.length > historyLength * 1.2) this.#forgetOldest();
    for (const listener of [...this.#listeners]) listener(event);
    return object;
  }

  #forgetOldest(): void {
    const cut = this.#history.length - historyLength;
    this.#forgotten = this.#history[cut - 1]?.version ?? this.#forgotten;
    this.#history = this.#history.slice(cut);
  }
}

type Change = (current: KubeObject) => KubeObject;

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

function unversioned(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: "" } };
}

function inOrder(objects: ReadonlyMap<string, KubeObject>, namespace: string | undefined): readonly KubeObject[] {
  const sorted = [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  return namespace === undefined ? sorted : sorted.filter((object) => object.metadata.namespace === namespace);
}
