import { numberAt, textAt } from "../json.ts";
import type { KubeObject } from "../kube-object.ts";
import { pods } from "../resource.ts";
import type { ContainerTask } from "./container-task.ts";
import type { NodeHome } from "./node-home.ts";
import { PodWorker } from "./pod-worker.ts";

/** The agent of one simulated node: runs the pods that the scheduler has put there. */
export class Kubelet {
  readonly node: string;
  readonly #home: NodeHome;
  readonly #nextIp: () => string;
  readonly #workers = new Map<string, { readonly worker: PodWorker; readonly ended: Promise<void> }>();
  readonly #unsubscribe: () => void;
  #alive = true;
  #waiting: (() => void)[] = [];
  #closing = false;

  constructor(node: string, home: NodeHome, nextIp: () => string) {
    this.node = node;
    this.#nextIp = nextIp;
    this.#home = { ...home, whenReachable: () => this.#whenReachable(home) };
    this.#unsubscribe = home.store.onChange(({ resource, object }) => {
      if (resource === pods && this.#alive)
        this.#sync(object.metadata.uid, home.store.find(pods, object.metadata.namespace, object.metadata.name));
    });
    this.#syncAll();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The agent is away: containers go on, nothing is told and nothing is heard. */
  pause(): void {
    this.#alive = false;
  }

  resume(): void {
    this.#alive = true;
    for (const wake of this.#waiting.splice(0)) wake();
    this.#syncAll();
  }

  find(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)?.worker;
  }

  findContainer(uid: string, container: string): ContainerTask | undefined {
    return this.find(uid)?.find(container);
  }

  /** Kills everything on the node. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#unsubscribe();
    const all = [...this.#workers.values()];
    for (const { worker } of all) worker.forget();
    this.resume();
    await Promise.all(all.map(({ ended }) => ended));
  }

  async #whenReachable(home: NodeHome): Promise<void> {
    while (!this.#alive) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await home.whenReachable();
  }

  #syncAll(): void {
    if (this.#closing) return;
    const there = this.#home.store.list(pods);
    for (const pod of there) this.#sync(pod.metadata.uid, pod);
    const uids = new Set(there.map((pod) => pod.metadata.uid));
    for (const [uid, { worker }] of this.#workers) if (!uids.has(uid)) worker.forget();
  }

  #sync(uid: string, pod: KubeObject | undefined): void {
    const known = this.#workers.get(uid);
    if (pod?.metadata.uid !== uid) {
      known?.worker.forget();
      return;
    }
    if (textAt(pod, "spec", "nodeName") !== this.node) return;
    const worker = known?.worker ?? this.#begin(pod);
    if (pod.metadata.deletionTimestamp === undefined || worker === undefined) return;
    worker.delete(((numberAt(pod, "metadata", "deletionGracePeriodSeconds") ?? 0) * 1000) / this.#home.pacing.userSpeed);
  }

  #begin(pod: KubeObject): PodWorker | undefined {
    const phase = textAt(pod, "status", "phase");
    if (phase === "Succeeded" || phase === "Failed") return undefined;
    const worker = new PodWorker(this.#home, pod, this.#nextIp());
    const { uid } = pod.metadata;
    const ended = worker.run().finally(() => this.#workers.delete(uid));
    this.#workers.set(uid, { worker, ended });
    return worker;
  }
}
