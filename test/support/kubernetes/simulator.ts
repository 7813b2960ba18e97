import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { AccessRule, User } from "./access.ts";
import { createApiServer } from "./api-server.ts";
import { makeCertificate } from "./certificate.ts";
import type { Cluster } from "./cluster.ts";
import { makeClusterFolder } from "./cluster-folder.ts";
import { startGarbageCollector } from "./garbage-collector.ts";
import { timestamp } from "./kube-object.ts";
import { kubeconfigFor } from "./kubeconfig.ts";
import { prepareImages } from "./kubelet/container-root.ts";
import type { ContainerTask } from "./kubelet/container-task.ts";
import type { ImageRule } from "./kubelet/images.ts";
import type { Pacing } from "./kubelet/pacing.ts";
import type { PodWorker } from "./kubelet/pod-worker.ts";
import { startNamespaceController } from "./namespace-controller.ts";
import { type NodeOptions, Nodes } from "./nodes.ts";
import { ObjectStore } from "./object-store.ts";
import { createNodeRecorder } from "./recorder.ts";
import { RequestLog } from "./request-log.ts";
import { namespaces, pods, serviceAccounts } from "./resource.ts";
import { startScheduler } from "./scheduler.ts";
import { simulatorProblem } from "./simulator-problem.ts";
import { StreamCutter } from "./stream-cutter.ts";

/** How a simulated cluster is made; all of it has defaults. */
export interface SimulatorOptions extends Partial<Pacing> {
  readonly nodes?: readonly NodeOptions[];
  readonly namespaces?: readonly string[];
  /** Images that are served differently from what their names say (see findImage). */
  readonly images?: Readonly<Record<string, ImageRule>>;
}

/** Where a pod is. */
export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
}

/** A simulated Kubernetes cluster: an API server over TLS on loopback, nodes that run containers as local processes. */
export interface Simulator {
  readonly url: string;
  /** For somebody who may do everything. */
  readonly kubeconfig: string;
  readonly token: string;
  readonly caData: string;
  readonly store: ObjectStore;
  readonly nodes: Nodes;
  readonly requests: RequestLog;
  /** A kubeconfig for a service account with rules in a namespace and in the whole cluster. */
  readonly kubeconfigOf: (account: Account) => string;
  /** The API is away: connections are cut and refused; containers go on. */
  readonly stop: () => Promise<void>;
  /** The API is back at the same address, without memory of older versions. */
  readonly start: () => Promise<void>;
  /** Watches, logs and execs that begin from now on are cut after so many bytes; undefined leaves them whole. */
  readonly cutStreams: (afterBytes: number | undefined) => void;
  /** Cuts those that are open. Gives their number. */
  readonly dropStreams: () => number;
  /** Connections to the server that are open. */
  readonly connections: () => number;
  /** The node agent evicts a pod, as for want of disk. */
  readonly evict: (pod: PodPlace, message?: string) => void;
  /** The kernel kills a container that has too much memory. Given a text, only processes whose command line has it. */
  readonly oomKill: (pod: PodPlace, container: string, onlyCommand?: string) => void;
  readonly close: () => Promise<void>;
}

/** A service account and its rights. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly role?: string;
  readonly rules: readonly AccessRule[];
  readonly clusterRules?: readonly AccessRule[];
}

/** Starts a cluster. Throws what simulatorProblem says. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const problem = simulatorProblem();
  if (problem !== undefined) throw new Error(problem);
  const folder = await makeClusterFolder();
  const imagesFolder = join(folder, "images");
  prepareImages(imagesFolder);
  const certificate = makeCertificate(Date.now());
  const pacing = { speed: options.speed ?? 50, userSpeed: options.userSpeed ?? 1 };
  const store = new ObjectStore();
  const cutter = new StreamCutter();
  const requests = new RequestLog();
  const tokens = new Map<string, User>();
  const reachability = createReachability();

  const home = (node: string) => ({
    store,
    pacing,
    imagesFolder,
    folder: join(folder, node),
    rules: options.images ?? {},
    recorder: createNodeRecorder(store, node),
    whenReachable: reachability.whenReachable,
  });
  const nodes = new Nodes(store, home, pacing.speed);
  const stops = [
    startNamespaceController(store, pacing.speed),
    startGarbageCollector(store),
    startScheduler(store, { delayMs: 4, whenReachable: reachability.whenReachable }),
  ];
  for (const name of ["default", "kube-system", ...(options.namespaces ?? ["ostler"])]) addNamespace(store, name);
  for (const node of options.nodes ?? [{}]) nodes.add(node);

  const cluster: Cluster = { store, nodes, requests, cutter, speed: pacing.speed, userOf: (token) => tokens.get(token) };
  const server = createApiServer(cluster, certificate);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    // A listening TCP server has an AddressInfo.
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const url = `https://127.0.0.1:${port}`;
  const caData = Buffer.from(certificate.cert).toString("base64");
  const tokenFor = (user: User) => {
    const token = randomBytes(16).toString("hex");
    tokens.set(token, user);
    return token;
  };
  const token = tokenFor({ name: "kubernetes-admin", rights: { type: "everything" } });
  const namespace = (options.namespaces ?? ["ostler"])[0] ?? "default";

  const stop = async () => {
    reachability.leave();
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const worker = (place: PodPlace): PodWorker => {
    const pod = store.get(pods, place.namespace, place.name);
    const found = nodes.find(String(pod.spec?.["nodeName"]))?.find(pod.metadata.uid);
    if (found === undefined) throw new Error(`no node has the pod ${place.name}`);
    return found;
  };
  return {
    url,
    token,
    caData,
    store,
    nodes,
    requests,
    kubeconfig: kubeconfigFor({ url, caData, token, namespace }),
    kubeconfigOf: (account) => kubeconfigFor({ url, caData, token: tokenFor(userOf(account)), namespace: account.namespace }),
    stop,
    start: async () => {
      store.forgetHistory();
      await listen(port);
      reachability.arrive();
    },
    cutStreams: (afterBytes) => cutter.cutAfter(afterBytes),
    dropStreams: () => cutter.cutAll(),
    connections: () => sockets.size,
    evict: (place, message = "The node was low on resource: ephemeral-storage. ") =>
      worker(place).condemn({ reason: "Evicted", message }, 0),
    oomKill: (place, container, onlyCommand) => outOfMemory(worker(place).find(container), onlyCommand),
    close: async () => {
      for (const each of stops) each();
      reachability.arrive();
      await nodes.close();
      if (server.listening) await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function userOf({ namespace, name, role, rules, clusterRules }: Account): User {
  const rights = { type: "rules", namespace, role: role ?? name, rules, clusterRules: clusterRules ?? [] } as const;
  return { name: `system:serviceaccount:${namespace}:${name}`, rights };
}

function addNamespace(store: ObjectStore, name: string): void {
  const metadata = { name, uid: randomUUID(), creationTimestamp: timestamp(Date.now()), labels: { "kubernetes.io/metadata.name": name } };
  store.create(namespaces, {
    kind: "Namespace",
    apiVersion: "v1",
    metadata,
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  if (store.find(serviceAccounts, name, "default") === undefined) {
    const account = { name: "default", namespace: name, uid: randomUUID(), creationTimestamp: timestamp(Date.now()) };
    store.create(serviceAccounts, { kind: "ServiceAccount", apiVersion: "v1", metadata: account });
  }
}

function outOfMemory(task: ContainerTask | undefined, onlyCommand: string | undefined): void {
  if (task?.process === undefined) throw new Error("no such container runs");
  task.markOutOfMemory();
  if (onlyCommand === undefined) task.process.signal("SIGKILL");
  else task.process.killChildren(onlyCommand);
}

/** Whether nodes and the scheduler can reach the API. */
function createReachability() {
  let there = true;
  let waiting: (() => void)[] = [];
  return {
    leave: () => {
      there = false;
    },
    arrive: () => {
      there = true;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    whenReachable: async () => {
      while (!there) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
