import type { JsonObject } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ObjectStore, StoreEvent } from "./object-store.ts";
import { parseVersion } from "./paging.ts";
import { apiVersionOf, type Resource } from "./resource.ts";
import type { Selector } from "./selectors.ts";
import { expired, forbiddenValue, invalid } from "./status-error.ts";

export interface WatchRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly selector: Selector | undefined;
  readonly query: URLSearchParams;
}

/** A line of a watch: an event for the client. */
export type WatchLine = { readonly type: string; readonly object: JsonObject | KubeObject };

/** A watch that has been checked; `start` tells what is there, then every change, until it is stopped or ends by itself. */
export interface Watch {
  readonly start: (send: (line: WatchLine) => void, end: () => void) => () => void;
}

/** Real servers send one about every minute; `speed` makes it sooner. */
const bookmarkEveryMs = 60_000;
/** Before its own time-out a watch tells where it has come to. */
const lastBookmarkBeforeMs = 1_500;

/** Throws 422 and 500; a version that is too old is told inside the stream, as real servers do. */
export function openWatch(store: ObjectStore, request: WatchRequest, speed: number): Watch {
  const { query, resource } = request;
  const from = parseVersion(query.get("resourceVersion")) ?? 0;
  const initialEvents = query.get("sendInitialEvents") === "true";
  if (initialEvents && query.get("resourceVersionMatch") !== "NotOlderThan") throw initialEventsForbidden();
  const bookmarks = isTrue(query.get("allowWatchBookmarks"));
  const timeoutMs = Number(query.get("timeoutSeconds") ?? "0") * 1000;

  const start: Watch["start"] = (send, end) => {
    const meant = (object: KubeObject) =>
      (request.namespace === undefined || object.metadata.namespace === request.namespace) && (request.selector?.(object) ?? true);
    const tell = (event: StoreEvent) => {
      const line = event.resource === resource && event.version > from ? lineFor(event, meant) : undefined;
      if (line !== undefined) send(line);
    };
    if (from > 0 && from < store.oldest) {
      send({ type: "ERROR", object: expired(`too old resource version: ${from} (${store.version})`).body });
      end();
      return () => {};
    }
    if (from === 0) for (const object of store.list(resource, request.namespace).filter(meant)) send({ type: "ADDED", object });
    else for (const event of store.since(from, resource)) tell(event);

    const bookmark = (annotations?: JsonObject) => send({ type: "BOOKMARK", object: bookmarkOf(store, resource, annotations) });
    if (initialEvents && bookmarks) bookmark(initialEventsEnd(resource));
    const unsubscribe = store.onChange(tell);
    const timers: NodeJS.Timeout[] = [];
    if (bookmarks) timers.push(setInterval(() => bookmark(), bookmarkEveryMs / speed));
    if (timeoutMs > 0) {
      timers.push(setTimeout(end, timeoutMs));
      if (bookmarks && timeoutMs > 2 * lastBookmarkBeforeMs - 500) timers.push(setTimeout(bookmark, timeoutMs - lastBookmarkBeforeMs));
    }
    return () => {
      unsubscribe();
      for (const timer of timers) clearTimeout(timer);
    };
  };
  return { start };
}

/** An object that leaves the selector is told as DELETED with its old content and the new version; one that enters is ADDED. */
function lineFor(event: StoreEvent, meant: Selector): WatchLine | undefined {
  const { object, previous } = event;
  const is = event.type !== "DELETED" && meant(object);
  const was = previous !== undefined && meant(previous);
  if (event.type === "DELETED") return was ? { type: "DELETED", object } : undefined;
  if (is) return { type: was ? "MODIFIED" : "ADDED", object };
  if (!was) return undefined;
  return { type: "DELETED", object: { ...previous, metadata: { ...previous.metadata, resourceVersion: String(event.version) } } };
}

/** Its version is the newest of that kind: writes of other kinds do not move it. */
function bookmarkOf(store: ObjectStore, resource: Resource, annotations: JsonObject | undefined): JsonObject {
  return {
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(store.newestOf(resource)),
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...(resource.kind === "Pod" ? { spec: { containers: null }, status: {} } : {}),
  };
}

function initialEventsEnd(resource: Resource): JsonObject {
  const blueprint = { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: {}, items: null };
  return {
    "k8s.io/initial-events-end": "true",
    "kubernetes.io/initial-events-list-blueprint": Buffer.from(`${JSON.stringify(blueprint)}\n`).toString("base64"),
  };
}

function initialEventsForbidden() {
  const why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
  return invalid({ kind: "ListOptions", group: "meta.k8s.io" }, "", [forbiddenValue("resourceVersionMatch", why)]);
}

/** Flags of a query are "true" or "1". */
export function isTrue(text: string | null): boolean {
  return text === "true" || text === "1";
}
