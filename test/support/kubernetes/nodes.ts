import { randomUUID } from "node:crypto";
import { isJsonObject, type JsonObject, listAt, textAt } from "./json.ts";
import { type KubeObject, timestamp } from "./kube-object.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import type { NodeHome } from "./kubelet/node-home.ts";
import type { ObjectStore } from "./object-store.ts";
import { nodes as nodeResource, pods } from "./resource.ts";

/** What a node is made with. */
export interface NodeOptions {
  readonly name?: string;
  /** As `kubernetes.io/arch` says it. */
  readonly arch?: string;
  readonly cpu?: string;
  /** In mebibytes. */
  readonly memoryMi?: number;
  readonly podCount?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

/** Nobody hears of a node for so long before it counts as lost, plus the controller's own round. */
const monitorGraceMs = 45_000;

/** The simulated nodes and their agents. */
export class Nodes {
  readonly #store: ObjectStore;
  readonly #home: (node: string) => NodeHome;
  readonly #speed: number;
  readonly #kubelets = new Map<string, Kubelet>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #ips = 1;
  readonly #unsubscribe: () => void;

  constructor(store: ObjectStore, home: (node: string) => NodeHome, speed: number) {
    this.#store = store;
    this.#home = home;
    this.#speed = speed;
    this.#unsubscribe = store.onChange(({ resource, type, object }) => {
      if (resource === nodeResource && type === "MODIFIED") setTimeout(() => this.#taintCordoned(object.metadata.name), 5);
    });
  }

  /** Adds a node that is ready. Its name is returned. */
  add(options: NodeOptions = {}): string {
    const name = options.name ?? `node${this.#kubelets.size + 1}`;
    this.#store.create(nodeResource, nodeObject(name, options));
    this.#kubelets.set(name, new Kubelet(name, this.#home(name), () => this.#nextIp()));
    return name;
  }

  find(name: string): Kubelet | undefined {
    return this.#kubelets.get(name);
  }

  /** The node's agent is away: containers go on; after a while the node is marked, and its pods as not ready. */
  lose(name: string): void {
    this.#kubelets.get(name)?.pause();
    this.#timers.set(
      name,
      setTimeout(() => this.#markLost(name), monitorGraceMs / this.#speed),
    );
  }

  /** The agent is back: what was held up happens now. */
  restore(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#update(name, (node) =>
      withConditions({ ...node, spec: untainted(node.spec ?? {}, "node.kubernetes.io/unreachable") }, readyConditions()),
    );
    this.#kubelets.get(name)?.resume();
  }

  /** The machine is gone for good, with all that ran there; its pods are removed a little later. */
  async destroy(name: string): Promise<void> {
    const kubelet = this.#kubelets.get(name);
    this.#kubelets.delete(name);
    kubelet?.pause();
    this.#store.remove(nodeResource, undefined, name);
    await kubelet?.close();
    const orphans = this.#store.list(pods).filter((pod) => textAt(pod, "spec", "nodeName") === name);
    for (const { metadata } of orphans) this.#store.remove(pods, metadata.namespace, metadata.name);
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all([...this.#kubelets.values()].map((kubelet) => kubelet.close()));
  }

  #markLost(name: string): void {
    this.#update(name, (node) => withConditions(node, unknownConditions(node)));
    this.#update(name, (node) => tainted(node, { key: "node.kubernetes.io/unreachable", effect: "NoSchedule" }));
    for (const pod of this.#store.list(pods).filter((one) => textAt(one, "spec", "nodeName") === name)) {
      const { namespace, name: podName } = pod.metadata;
      this.#store.update(pods, { namespace, name: podName }, notReady);
    }
  }

  #taintCordoned(name: string): void {
    if (this.#store.find(nodeResource, undefined, name) === undefined) return;
    const key = "node.kubernetes.io/unschedulable";
    this.#update(name, (node) => {
      const is = listAt(node, "spec", "taints").some((taint) => textAt(taint, "key") === key);
      const cordoned = node.spec?.["unschedulable"] === true;
      if (is === cordoned) return node;
      return cordoned ? tainted(node, { key, effect: "NoSchedule" }) : { ...node, spec: untainted(node.spec ?? {}, key) };
    });
  }

  #update(name: string, change: (node: KubeObject) => KubeObject): void {
    if (this.#store.find(nodeResource, undefined, name) !== undefined)
      this.#store.update(nodeResource, { namespace: undefined, name }, change);
  }

  #nextIp(): string {
    this.#ips += 1;
    return `127.${(this.#ips >> 16) & 255}.${(this.#ips >> 8) & 255}.${this.#ips & 255}`;
  }
}

/** What a node keeps for itself. */
const systemMi = 100;

function nodeObject(
  name: string,
  { arch = "amd64", cpu = "64", memoryMi = 262_144, podCount = 1000, labels = {}, taints = [] }: NodeOptions,
): KubeObject {
  const huge = { "hugepages-1Gi": "0", "hugepages-2Mi": "0" };
  const quantities = (mi: number) => ({
    cpu,
    "ephemeral-storage": "264212084Ki",
    ...huge,
    memory: `${mi * 1024}Ki`,
    pods: String(podCount),
  });
  return {
    kind: "Node",
    apiVersion: "v1",
    metadata: {
      name,
      uid: randomUUID(),
      creationTimestamp: timestamp(Date.now()),
      labels: {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...labels,
      },
      annotations: { "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: taints.length === 0 ? {} : { taints: taints.map((taint) => ({ ...taint })) },
    status: {
      capacity: quantities(memoryMi),
      allocatable: quantities(memoryMi - systemMi),
      conditions: readyConditions(),
      addresses: [
        { type: "InternalIP", address: "127.0.0.1" },
        { type: "Hostname", address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        machineID: "simulated",
        systemUUID: "simulated",
        bootID: "simulated",
        kernelVersion: "simulated",
        osImage: "Debian GNU/Linux 12 (bookworm)",
        architecture: arch,
        operatingSystem: "linux",
        kubeletVersion: "v1.32.13",
        kubeProxyVersion: "v1.32.13",
        containerRuntimeVersion: "containerd://1.6.20",
      },
    },
  };
}

const healthy = [
  ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
] as const;

function readyConditions(): readonly JsonObject[] {
  const now = timestamp(Date.now());
  return healthy.map(([type, status, reason, message]) => ({
    type,
    status,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
    reason,
    message,
  }));
}

function unknownConditions(node: KubeObject): readonly JsonObject[] {
  const lost = {
    status: "Unknown",
    reason: "NodeStatusUnknown",
    message: "Kubelet stopped posting node status.",
    lastTransitionTime: timestamp(Date.now()),
  };
  return listAt(node, "status", "conditions")
    .filter(isJsonObject)
    .map((condition) => ({ ...condition, ...lost }));
}

function withConditions(node: KubeObject, conditions: readonly JsonObject[]): KubeObject {
  return { ...node, status: { ...node.status, conditions } };
}

function tainted(node: KubeObject, taint: { readonly key: string; readonly effect: string }): KubeObject {
  const taints = [...listAt(node, "spec", "taints"), { ...taint, timeAdded: timestamp(Date.now()) }];
  return { ...node, spec: { ...node.spec, taints } };
}

function untainted(spec: JsonObject, key: string): JsonObject {
  const { taints: _taints, ...rest } = spec;
  const left = listAt(spec, "taints").filter((taint) => textAt(taint, "key") !== key);
  return left.length === 0 ? rest : { ...rest, taints: left };
}

/** The node's controller only turns Ready off; the rest stays as it was told last. */
function notReady(pod: KubeObject): KubeObject {
  const lastTransitionTime = timestamp(Date.now());
  const conditions = listAt(pod, "status", "conditions").map((condition) =>
    isJsonObject(condition) && condition["type"] === "Ready" && condition["status"] === "True"
      ? { ...condition, status: "False", lastTransitionTime }
      : condition,
  );
  return { ...pod, status: { ...pod.status, conditions } };
}
