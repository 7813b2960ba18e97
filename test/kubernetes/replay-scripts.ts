import { textAt } from "../support/kubernetes/json.ts";
import type { Script } from "../support/kubernetes/replay.ts";
import { api, createPod, nowhere, shell, untilGone, untilPhase } from "../support/kubernetes/test-pods.ts";

/** What each recording needs besides itself. Those that are not alone share a cluster and run at the same time. */
export const scripts: Readonly<Record<string, Script>> = {
  "watch-succeed": {},
  "watch-exit7": {},
  // Two pipes: their order is not kept.
  "watch-exit-message-from-log": { alike: { "second\\nfirst": "first\\nsecond" } },
  "watch-init-ok": {},
  "watch-init-fails": {},
  "watch-sidecar": {},
  "watch-sidecar-ignores-term": {},
  "watch-sidecar-startup-probe": {},
  "watch-delete-force": {},
  "watch-delete-shortened": {},
  "watch-delete-term-handled": {},
  "watch-delete-term-ignored": {},
  "watch-delete-while-creating": {},
  "watch-image-never-pull": {},
  "watch-image-pull-fails": {},
  "watch-invalid-image-name": {},
  "watch-unschedulable-arch": {},
  "watch-unschedulable-deadline": {},
  "watch-unschedulable-memory": {},
  "watch-active-deadline": {},
  "watch-eviction-api": {},
  "watch-command-not-found": {},
  "watch-command-not-found-shell": {},
  "watch-command-expansion": {},
  "watch-killed-by-signal": {},
  "watch-one-fails-other-succeeds": {},
  "watch-oom": { at: { 2309: ({ simulator, namespace }) => simulator?.oomKill({ namespace, name: "oom" }, "main") } },
  "watch-oom-child": {
    at: { 2309: ({ simulator, namespace }) => simulator?.oomKill({ namespace, name: "oom-child" }, "main", "tail /dev/zero") },
  },
  "watch-second-container-outlives": {},
  "watch-readiness": {},
  "watch-run-as-non-root": {},
  "watch-crashloop": {},
  "watch-restart-on-failure": {},
  "watch-restart-with-previous-log": {},
  "watch-sidecar-crashes": {},
  "watch-liveness": {},
  "watch-missing-secret-env": {},
  "watch-missing-secret-volume": {},
  "pod-crud": {
    at: {
      425: (cluster) => untilPhase(cluster, "crud", "Running"),
      5429: (cluster) => untilGone(cluster, "crud"),
      5459: async (cluster) => {
        for (const name of ["dc1", "dc2"])
          await createPod(cluster, { name, labels: { dc: "1", app: null }, containers: [shell("main", "true")], ...nowhere });
      },
    },
  },
  errors: {
    before: async (cluster) => {
      await createPod(cluster, { name: "err-exists", containers: [shell("main", "true")], ...nowhere });
    },
    leaveOut: {
      3253: "the recording has no body of it; see the rules",
      3283: "the recording has no body of it; see the rules",
      3318: "the recording has no body of it; see the rules",
    },
    caller: ({ t_ms }) => (t_ms === 3195 ? "bad" : t_ms === 3199 ? "nobody" : undefined),
  },
  "watch-protocol": {
    before: async (cluster) => {
      const namespace = "ostler-facts-w";
      await createPod(cluster, { name: "w1", namespace, labels: { w: "a", app: null }, containers: [shell("main", "true")], ...nowhere });
      await createPod(cluster, { name: "w2", namespace, labels: { w: "b", app: null }, containers: [shell("main", "true")], ...nowhere });
      await untilUnschedulable(cluster, namespace, "w2");
      const list = await api(cluster, "GET", `/api/v1/namespaces/${namespace}/pods`);
      return { 1671: textAt(list, "metadata", "resourceVersion") ?? "" };
    },
    leaveOut: {
      12970: "takes 75 s",
      12979: "takes 75 s",
      73251: "takes 75 s",
      85545: "takes 75 s",
      86552: "takes 75 s",
      87980: "takes 75 s",
    },
  },
};

type Cluster = Parameters<NonNullable<Script["before"]>>[0];

async function untilUnschedulable(cluster: Cluster, namespace: string, name: string): Promise<void> {
  const { until } = await import("../support/until.ts");
  await until(`${name} is told to be unschedulable`, async () => {
    const pod = await api(cluster, "GET", `/api/v1/namespaces/${namespace}/pods/${name}`);
    return JSON.stringify(pod["status"]).includes("Unschedulable");
  });
}
