import { isJsonObject, type JsonObject, listAt, objectAt, textAt, valueAt } from "./json.ts";
import { type KubeObject, timestamp } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { type PodSpec, podSpecOf } from "./pod-spec.ts";
import { parseQuantity } from "./quantities.ts";
import { createSchedulerRecorder } from "./recorder.ts";
import { nodes, pods } from "./resource.ts";

const resourcesOfNodes = ["cpu", "memory"] as const;

/** Puts pods on nodes that fit them, and looks again whenever a node changes. Returns the way to stop it. */
export function startScheduler(
  store: ObjectStore,
  options: { readonly delayMs: number; readonly whenReachable: () => Promise<void> },
): () => void {
  const recorder = createSchedulerRecorder(store);
  const timers = new Set<NodeJS.Timeout>();
  const soon = (pod: KubeObject) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void options.whenReachable().then(() => schedule(store, recorder, pod));
    }, options.delayMs);
    timers.add(timer);
  };
  const stop = store.onChange(({ resource, type, object }) => {
    if (resource === pods && type === "ADDED") soon(object);
    const frees = resource === pods && (type === "DELETED" || isFinal(object));
    if (resource === nodes || frees) for (const pod of store.list(pods).filter(isWaiting)) soon(pod);
  });
  return () => {
    stop();
    for (const timer of timers) clearTimeout(timer);
  };
}

function isWaiting(pod: KubeObject): boolean {
  return textAt(pod, "spec", "nodeName") === undefined && pod.metadata.deletionTimestamp === undefined;
}

function isFinal(pod: KubeObject): boolean {
  const phase = textAt(pod, "status", "phase");
  return phase === "Succeeded" || phase === "Failed";
}

function schedule(store: ObjectStore, recorder: ReturnType<typeof createSchedulerRecorder>, waiting: KubeObject): void {
  const { namespace, name, uid } = waiting.metadata;
  const pod = store.find(pods, namespace, name);
  if (pod === undefined || pod.metadata.uid !== uid || !isWaiting(pod)) return;
  const verdicts = store.list(nodes).map((node) => ({ node, obstacle: obstacleTo(store, pod, node) }));
  const fitting = verdicts.filter(({ obstacle }) => obstacle === undefined).map(({ node }) => ({ node, load: loadOf(store, node) }));
  const best = fitting.sort((a, b) => a.load - b.load)[0]?.node;
  if (best !== undefined) {
    const bound = store.update(pods, { namespace, name }, (current) => ({
      ...current,
      spec: { ...current.spec, nodeName: best.metadata.name },
      status: { ...current.status, conditions: [scheduledCondition(current, { status: "True" })] },
    }));
    recorder.record({
      object: bound,
      type: "Normal",
      reason: "Scheduled",
      message: `Successfully assigned ${namespace}/${name} to ${best.metadata.name}`,
    });
    return;
  }
  const message = unschedulable(verdicts.map(({ obstacle }) => obstacle ?? ""));
  const condition = { status: "False", reason: "Unschedulable", message };
  const told = store.update(pods, { namespace, name }, (current) => ({
    ...current,
    status: { ...current.status, conditions: [scheduledCondition(current, condition)] },
  }));
  if (told !== pod) recorder.record({ object: told, type: "Warning", reason: "FailedScheduling", message });
}

function scheduledCondition(pod: KubeObject, condition: JsonObject): JsonObject {
  const before = listAt(pod, "status", "conditions").find((one) => textAt(one, "type") === "PodScheduled");
  const same = textAt(before, "status") === condition["status"];
  const lastTransitionTime = same ? (textAt(before, "lastTransitionTime") ?? "") : timestamp(Date.now());
  return { type: "PodScheduled", lastProbeTime: null, lastTransitionTime, ...condition };
}

function unschedulable(obstacles: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const obstacle of obstacles) counts.set(obstacle, (counts.get(obstacle) ?? 0) + 1);
  const all = obstacles.length;
  const reasons = [...counts].map(([obstacle, count]) => `${count} ${obstacle}`).join(", ");
  const helpless = obstacles.every((obstacle) => obstacle.startsWith("Insufficient"))
    ? `${all} No preemption victims found for incoming pod.`
    : `${all} Preemption is not helpful for scheduling.`;
  if (all === 0) return "no nodes available to schedule pods";
  return `0/${all} nodes are available: ${reasons}. preemption: 0/${all} nodes are available: ${helpless}`;
}

/** Why a pod does not go to a node, in the scheduler's words. */
function obstacleTo(store: ObjectStore, pod: KubeObject, node: KubeObject): string | undefined {
  const spec = podSpecOf(pod);
  if (valueAt(node, "spec", "unschedulable") === true) return "node(s) were unschedulable";
  const taint = listAt(node, "spec", "taints")
    .filter(isJsonObject)
    .find((one) => one["effect"] !== "PreferNoSchedule" && !spec.tolerations.some((toleration) => tolerates(toleration, one)));
  if (taint !== undefined) return `node(s) had untolerated taint {${taint["key"]}: ${taint["value"] ?? ""}}`;
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(spec.nodeSelector).every(([key, value]) => labels[key] === value);
  if (!selected) return "node(s) didn't match Pod's node affinity/selector";
  const short = resourcesOfNodes.find((name) => requested([spec], name) > free(store, node, name));
  return short === undefined ? undefined : `Insufficient ${short}`;
}

type Toleration = PodSpec["tolerations"][number];

function tolerates({ key, operator, value, effect }: Toleration, taint: JsonObject): boolean {
  if (effect !== undefined && effect !== "" && effect !== taint["effect"]) return false;
  if (key === undefined || key === "") return operator === "Exists";
  return key === taint["key"] && (operator === "Exists" || (value ?? "") === (taint["value"] ?? ""));
}

function free(store: ObjectStore, node: KubeObject, name: (typeof resourcesOfNodes)[number]): number {
  const allocatable = parseQuantity(textAt(objectAt(node, "status", "allocatable"), name) ?? "0") ?? 0;
  const there = podsOn(store, node).filter((pod) => !isFinal(pod));
  return (
    allocatable -
    requested(
      there.map((pod) => podSpecOf(pod)),
      name,
    )
  );
}

function requested(specs: readonly PodSpec[], name: string): number {
  const of = ({ resources }: PodSpec["containers"][number]) => parseQuantity(resources.requests?.[name] ?? "0") ?? 0;
  return specs.flatMap((spec) => spec.containers.map(of)).reduce((sum, one) => sum + one, 0);
}

function podsOn(store: ObjectStore, node: KubeObject): readonly KubeObject[] {
  return store.list(pods).filter((pod) => textAt(pod, "spec", "nodeName") === node.metadata.name);
}

function loadOf(store: ObjectStore, node: KubeObject): number {
  return podsOn(store, node).length;
}
