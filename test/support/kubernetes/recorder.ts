import { randomUUID } from "node:crypto";
import { numberAt } from "./json.ts";
import { type KubeObject, microTimestamp, timestamp } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { events } from "./resource.ts";

/** Something that happened to an object. */
export interface Happening {
  readonly object: KubeObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** Writes core/v1 Events; the same again raises the count of the first. */
export interface Recorder {
  readonly record: (happening: Happening) => void;
}

/** The recorder of a node agent: times and counts, no eventTime. */
export function createNodeRecorder(store: ObjectStore, host: string): Recorder {
  const names = new Map<string, string>();
  const record = (happening: Happening) => {
    const { object, reason, message, fieldPath = "" } = happening;
    const { namespace = "default", uid } = object.metadata;
    const key = [uid, reason, message, fieldPath].join("\n");
    const now = timestamp(Date.now());
    const known = names.get(key);
    if (known !== undefined && store.find(events, namespace, known) !== undefined) {
      store.update(events, { namespace, name: known }, (event) => ({
        ...event,
        count: (numberAt(event, "count") ?? 1) + 1,
        lastTimestamp: now,
      }));
      return;
    }
    const rest = { source: { component: "kubelet", host }, firstTimestamp: now, lastTimestamp: now, count: 1, eventTime: null };
    if (names.size > keptEvents) names.clear();
    names.set(key, write(store, happening, { ...rest, reportingComponent: "kubelet", reportingInstance: host }));
  };
  return { record };
}

/** The recorder of the scheduler: eventTime, no times or counts. */
export function createSchedulerRecorder(store: ObjectStore): Recorder {
  const record = (happening: Happening) => {
    write(store, happening, {
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: microTimestamp(Date.now()),
      action: happening.reason === "Scheduled" ? "Binding" : "Scheduling",
      reportingComponent: "default-scheduler",
      reportingInstance: "default-scheduler-simulated",
    });
  };
  return { record };
}

/** How many Events are kept: old ones go, as a real server forgets them after an hour. */
const keptEvents = 2000;

function write(
  store: ObjectStore,
  { object, type, reason, message, fieldPath }: Happening,
  rest: Readonly<Record<string, KubeObject[string]>>,
): string {
  const { namespace = "default", name: ownName, uid, resourceVersion } = object.metadata;
  const name = `${ownName}.${randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const home = object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace };
  const involvedObject = { kind: object.kind, ...home, name: ownName, uid, apiVersion: "v1", resourceVersion };
  store.create(events, {
    kind: "Event",
    apiVersion: "v1",
    metadata: { name, namespace, uid: randomUUID(), creationTimestamp: timestamp(Date.now()) },
    involvedObject: fieldPath === undefined ? involvedObject : { ...involvedObject, fieldPath },
    type,
    reason,
    message,
    ...rest,
  });
  forgetOld(store);
  return name;
}

function forgetOld(store: ObjectStore): void {
  const count = store.count(events);
  if (count <= keptEvents * 1.5) return;
  const oldest = [...store.list(events)].sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
  for (const event of oldest.slice(0, count - keptEvents)) store.remove(events, event.metadata.namespace, event.metadata.name);
}
