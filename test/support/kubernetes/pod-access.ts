import { textAt } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ContainerTask } from "./kubelet/container-task.ts";
import type { Nodes } from "./nodes.ts";
import type { ObjectStore } from "./object-store.ts";
import { podSpecOf } from "./pod-spec.ts";
import { pods } from "./resource.ts";
import { badRequest } from "./status-error.ts";

/** A container of a pod, chosen as exec, attach and log do. */
export interface Chosen {
  readonly pod: KubeObject;
  readonly container: string;
  /** The node that has the pod, or undefined before it is scheduled. */
  readonly node: string | undefined;
}

/** Throws 404 for the pod, 400 for a container that is unknown or not named among several. */
export function chooseContainer(
  store: ObjectStore,
  at: { readonly namespace: string | undefined; readonly name: string },
  wanted: string | null,
): Chosen {
  const pod = store.get(pods, at.namespace, at.name);
  const spec = podSpecOf(pod);
  const names = [...spec.initContainers, ...spec.containers].map(({ name }) => name);
  const only = names.length === 1 ? names[0] : undefined;
  const container = wanted === null || wanted === "" ? only : wanted;
  if (container === undefined) {
    throw badRequest(`a container name must be specified for pod ${at.name}, choose one of: [${names.join(" ")}]`);
  }
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${at.name}`);
  return { pod, container, node: textAt(pod, "spec", "nodeName") };
}

/** What the node has of it: undefined if nothing was made yet; "away" if the node's agent does not answer. */
export function findTask(nodes: Nodes, { pod, container, node }: Chosen): ContainerTask | "away" | undefined {
  const kubelet = node === undefined ? undefined : nodes.find(node);
  if (kubelet === undefined || !kubelet.alive) return "away";
  return kubelet.findContainer(pod.metadata.uid, container);
}
