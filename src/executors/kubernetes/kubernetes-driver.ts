import type { Config } from "../../config.ts";
import { type Driver, PodError, type PodHandle, type PodOwner, type PodSpec } from "../driver.ts";
import { createHelperPod } from "../pod-helper/helper-pod.ts";
import { type Cluster, type ClusterSettings, openCluster } from "./cluster.ts";
import { mainContainer } from "./container-names.ts";
import { endWithPod } from "./disturbed-steps.ts";
import { groupIdOf } from "./group-id.ts";
import { asNewPod } from "./new-pod.ts";
import { type Nodes, openNodes } from "./nodes.ts";
import { listAll } from "./object-watch.ts";
import { ObservedPod } from "./observed-pod.ts";
import { createBackOff, insist } from "./patience.ts";
import { createPod, findPod, keyOf, podsPath } from "./pod-calls.ts";
import { createPodExec } from "./pod-exec.ts";
import { entryOf, type PodRecord, recordOf, selectExecutor, selectInstallation } from "./pod-labels.ts";
import type { HelperOrder } from "./pod-manifest.ts";
import { removePod } from "./pod-removal.ts";
import { whenOver, whenRunning } from "./pod-start.ts";
import { stateOf } from "./pod-state.ts";
import { openPodWatch, type PodKey, type PodWatch } from "./pod-watch.ts";
import { hasNativeSidecars } from "./server-version.ts";
import { followServiceLog } from "./service-log.ts";
import { type AllowedWishes, checkWishes } from "./wishes.ts";

export interface KubernetesDriverOptions extends ClusterSettings {
  readonly helperImage: string;
  readonly helperOrder: HelperOrder;
  readonly allowPrivileged: boolean;
  readonly wishes: AllowedWishes;
  /** What its nodes are taken for where they may not be read. */
  readonly archs?: readonly string[];
}

/** What the executor's settings say of it. */
export function kubernetesOptions(executor: Config["executor"]): KubernetesDriverOptions {
  const { kubernetesKubeconfig: kubeconfig, kubernetesContext: context, kubernetesNamespace: namespace } = executor;
  return {
    helperImage: executor.helperImage,
    helperOrder: executor.kubernetesHelper,
    allowPrivileged: executor.allowPrivileged,
    wishes: {
      nodeSelectors: executor.kubernetesNodeSelectors,
      tolerations: executor.kubernetesTolerations,
      serviceAccounts: executor.kubernetesServiceAccounts,
    },
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(namespace !== undefined && { namespace }),
    ...(executor.archs !== undefined && { archs: executor.archs }),
  };
}

const archLabel = "kubernetes.io/arch";
/** A server that is away when the executor starts may come soon. */
const openLimitMs = 60_000;
/** A pod that a predecessor has created and that does not run yet: so long it is given, then it is started anew elsewhere. */
const attachLimitMs = 10_000;

interface Opened {
  readonly cluster: Cluster;
  readonly nodes: Nodes;
  readonly nativeSidecars: boolean;
}

/** Runs each attempt in a pod of a namespace. Everything is found again by the pods' names and labels. */
export function createKubernetesDriver(options: KubernetesDriverOptions): Driver {
  const over = new AbortController();
  const watches = new Map<string, PodWatch>();
  const uids = new Map<string, string>();
  let opening: Promise<Opened> | undefined;

  const open = async (): Promise<Opened> => {
    const cluster = await openCluster(options);
    const nativeSidecars = await insist(() => hasNativeSidecars(cluster.api, over.signal), openLimitMs, over.signal);
    return { cluster, nodes: openNodes(cluster.api), nativeSidecars };
  };
  const opened = (): Promise<Opened> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  const watchOf = (cluster: Cluster, owner: PodOwner): PodWatch => {
    const labelSelector = selectExecutor(owner);
    const watch = watches.get(labelSelector) ?? openPodWatch(cluster.api, { path: podsPath(cluster), labelSelector });
    watches.set(labelSelector, watch);
    return watch;
  };

  const handleOf = ({ cluster, nodes }: Opened, { pod, record }: { readonly pod: ObservedPod; readonly record: PodRecord }): PodHandle => {
    const pods = watchOf(cluster, record.owner);
    const key = keyOf(pod);
    uids.set(record.id, key.uid);
    const { namespace, api, openExec } = cluster;
    const arch = nodes.archOf(pod.spec?.nodeName ?? undefined) ?? pod.spec?.nodeSelector?.[archLabel];
    const assumed = options.archs?.[0] ?? "amd64";
    const handle = createHelperPod({
      id: record.id,
      createdAt: record.createdAt,
      arch: arch ?? assumed,
      os: "linux",
      remarks: arch === undefined ? [`the executor may not read nodes: the pod's architecture is taken for ${assumed}`] : [],
      exec: createPodExec(openExec, { namespace, pod: key.name, container: mainContainer }),
      watchEnd: (signal) => watchEnd({ pods, key }, signal),
      followService: (index, offset, signal) => followServiceLog({ api, namespace, pods, pod: key }, { index, offset }, signal),
      fenceMs: record.fenceMs,
      deadlineAt: record.deadlineAt,
      ...(record.user !== undefined && { containerUser: record.user }),
    });
    return endWithPod(handle, { pods, key });
  };

  return {
    name: "kubernetes",
    allowsPrivileged: true,
    groupId: async () => groupIdOf((await opened()).cluster, over.signal),
    archs: async () => (await (await opened()).nodes.archs(over.signal)) ?? ["amd64"],
    start: async (spec, onProgress, signal) => {
      signal.throwIfAborted();
      refuse(spec, options);
      const all = await opened();
      const { helperImage, helperOrder } = options;
      const facts = { helperImage, helperOrder, nativeSidecars: all.nativeSidecars, now: Date.now() };
      const pods = watchOf(all.cluster, spec.owner);
      const { pod: created, isNew } = await createPod(all.cluster, { spec, facts }, signal);
      const record = recordOf(created);
      if (!record) throw new PodError("setup", "the server has changed the pod's annotations");
      uids.set(spec.id, created.metadata.uid);
      pods.note(created);
      const pod = await whenRunning({ pods, key: keyOf(created) }, onProgress, signal);
      const handle = handleOf(all, { pod, record });
      return isNew ? asNewPod(handle) : handle;
    },
    attach: async (podId, signal) => {
      const all = await opened();
      const pod = await insist(() => findPod(all.cluster, podId, signal), Number.POSITIVE_INFINITY, signal);
      const record = pod && recordOf(pod);
      if (!record) return undefined;
      const pods = watchOf(all.cluster, record.owner);
      pods.note(pod);
      if (stateOf(pod).type !== "starting") return handleOf(all, { pod, record });
      const late = AbortSignal.timeout(attachLimitMs);
      const running = await whenRunning({ pods, key: keyOf(pod) }, () => {}, AbortSignal.any([signal, late])).catch((error: unknown) => {
        if (late.aborted && !signal.aborted) return undefined;
        throw error;
      });
      return running && handleOf(all, { pod: running, record });
    },
    list: async (installation, signal) => {
      const { cluster } = await opened();
      const where = { path: podsPath(cluster), labelSelector: selectInstallation(installation) };
      const { items } = await listAll(cluster.api, where, signal);
      const entries = items.flatMap((item) => entryOf(ObservedPod.parse(item)) ?? []);
      return entries.filter(({ owner }) => owner.installation === installation);
    },
    remove: async (podId, graceMs, signal) => {
      const { cluster, nodes } = await opened();
      const watchIfOpen = (pod: ObservedPod) => {
        const owner = recordOf(pod)?.owner;
        return owner && watches.get(selectExecutor(owner));
      };
      await removePod({ cluster, nodes, watchOf: watchIfOpen }, { name: podId, uid: uids.get(podId), graceMs }, signal);
      uids.delete(podId);
    },
    close: async () => {
      over.abort(new Error("the driver was closed"));
      const all = await opening?.catch(() => undefined);
      await Promise.all([...watches.values(), ...(all ? [all.nodes] : [])].map((watch) => watch.close()));
      await all?.cluster.close();
    },
  };
}

function refuse({ containers, wishes }: PodSpec, options: KubernetesDriverOptions): void {
  if (!options.allowPrivileged && containers.some(({ privileged }) => privileged)) {
    throw new PodError("config", "privileged containers are not allowed here (OSTLER_EXECUTOR_ALLOW_PRIVILEGED)");
  }
  if (wishes) checkWishes(wishes, options.wishes);
}

/** A watch that is forbidden for a while says nothing about the pod. */
async function watchEnd(where: { readonly pods: PodWatch; readonly key: PodKey }, signal: AbortSignal) {
  const backOff = createBackOff();
  for (;;) {
    try {
      return await whenOver(where, signal);
    } catch {
      await backOff.pause(signal);
    }
  }
}
