import { type JsonObject, listAt, textAt } from "../support/kubernetes/json.ts";
import type { Script } from "../support/kubernetes/replay-script.ts";
import { nodes, pods } from "../support/kubernetes/resource.ts";
import { api, createPod, nowhere, shell, untilGone, untilPhase } from "../support/kubernetes/test-pods.ts";
import { until } from "../support/until.ts";

/** What each recording needs besides itself. Those that are not alone share a cluster and run at the same time. */
export const scripts: Readonly<Record<string, Script>> = {
  "watch-succeed": {},
  "watch-exit7": {},
  // Two pipes: their order is not kept.
  "watch-exit-message-from-log": { alike: [[/second\\nfirst/g, "first\\nsecond"]] },
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
  "watch-unschedulable-arch": { simulated: "needs the nodes of the recording" },
  "watch-unschedulable-deadline": { simulated: "needs the nodes of the recording" },
  "watch-unschedulable-memory": { simulated: "needs the nodes of the recording" },
  "watch-active-deadline": {},
  "watch-eviction-api": {},
  "watch-command-not-found": {},
  "watch-command-not-found-shell": {},
  "watch-command-expansion": {},
  "watch-killed-by-signal": {},
  "watch-one-fails-other-succeeds": {},
  "watch-oom": {
    simulated: "says when the kernel kills",
    at: { 2309: ({ simulator, namespace }) => simulator?.oomKill({ namespace, name: "oom" }, "main") },
  },
  "watch-oom-child": {
    simulated: "says when the kernel kills",
    at: { 2294: ({ simulator, namespace }) => simulator?.oomKill({ namespace, name: "oom-child" }, "main", "tail /dev/zero") },
  },
  "watch-second-container-outlives": {},
  "watch-readiness": {},
  "watch-run-as-non-root": {},
  "watch-restart-with-previous-log": { alike: [[/run [\d.]+/g, "run"]] },
  "watch-missing-secret-env": {},
  "watch-missing-secret-volume": {
    at: { 8876: (cluster) => createSecret(cluster, { metadata: { name: "latevol" }, stringData: { k: "v" } }) },
  },
  "pod-crud": {
    leaveOut: { 11: "a pod may be on its node by then" },
    at: {
      425: (cluster) => untilPhase(cluster, "crud", "Running"),
      5429: (cluster) => untilGone(cluster, "crud"),
      5434: async (cluster) => {
        const list = await api(cluster, "GET", podsOf(cluster));
        const generated = listAt(list, "items").map((pod) => textAt(pod, "metadata", "name") ?? "");
        await untilPhase(cluster, generated.find((name) => name.startsWith("crud-gen-")) ?? "", "Succeeded");
      },
      5459: async (cluster) => {
        for (const name of ["dc1", "dc2"])
          await createPod(cluster, { name, labels: { dc: "1" }, containers: [shell("main", "true")], ...nowhere });
      },
    },
  },
  errors: {
    simulated: "needs the callers of the recording",
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
    simulated: "needs a namespace of its own",
    before: async (cluster) => {
      const namespace = "ostler-facts-w";
      await createPod(cluster, { name: "w1", namespace, labels: { w: "a" }, containers: [shell("main", "true")], ...nowhere });
      await createPod(cluster, { name: "w2", namespace, labels: { w: "b" }, containers: [shell("main", "true")], ...nowhere });
      await untilUnschedulable(cluster, "w2", namespace);
    },
    names: async (cluster) => {
      const list = await api(cluster, "GET", "/api/v1/namespaces/ostler-facts-w/pods");
      return { 1671: textAt(list, "metadata", "resourceVersion") ?? "" };
    },
    leaveOut: { K: "takes 75 s" },
    closedEarly: ["A", "B", "E", "F"],
  },
  "watch-gone": {
    simulated: "stops the API server",
    alone: true,
    cut: true,
    before: async (cluster) => {
      for (const name of ["go", "gone-1", "gone-2", "gone-3", "gone-4"])
        await createPod(cluster, { name, containers: [shell("main", "true")], ...nowhere });
      await untilUnschedulable(cluster, "gone-4");
    },
    names: async (cluster) => {
      const { metadata } = await api(cluster, "GET", `${podsOf(cluster)}?limit=2`);
      for (const n of ["0", "1", "2", "3", "4", "5"]) await label(cluster, "gone-1", { n });
      cluster.simulator?.store.compact();
      const token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjU1OCwic3RhcnQiOiIvZ29uZS0xXHUwMDAwIn0";
      return { 2558: textAt(metadata, "resourceVersion") ?? "", [token]: textAt(metadata, "continue") ?? "" };
    },
    at: {
      1761: ({ simulator }) => simulator?.stop(),
      4371: ({ simulator }) => simulator?.start(),
      4721: (cluster) => label(cluster, "gone-2", { n: "z" }),
    },
  },
  "exec-basic": {
    before: execPods,
    leaveOut: { 945: "the client's own view of an empty protocol; see the rules", 3002: "only sizes were recorded; see the rules" },
  },
  "exec-errors": {
    simulated: "needs the callers of the recording",
    before: execPods,
    caller: ({ t_ms }) => (t_ms === 416 ? "weak" : undefined),
  },
  "exec-stdin-tty": {
    simulated: "needs a namespace of its own",
    alone: true,
    before: execPods,
    clientEnds: { 419: "close", 5719: "close", 8184: "cut", 10642: "cut", 13098: "cut", 14957: "cut" },
    at: {
      14907: (cluster) => untilSaid(cluster, "cat /tmp/eof", "eof"),
    },
    leaveOut: {
      4518: "the simulator's terminals have no size",
      5201: "the simulator's terminals send no signals",
      15766: "a number that depends on time; see the rules",
      17320: "a number that depends on time; see the rules",
      22471: "a number that depends on time; see the rules",
      24990: "takes 12 s",
    },
  },
  "list-paging": {
    simulated: "needs a namespace of its own",
    alone: true,
    cut: true,
    before: async (cluster) => {
      for (const index of [1, 2, 3, 4, 5]) {
        const labels = { page: index % 2 === 1 ? "odd" : "even" };
        await createPod(cluster, { name: `page-${index}`, labels, containers: [shell("main", "true")], ...nowhere });
      }
      await untilUnschedulable(cluster, "page-5");
    },
    at: {
      49: async (cluster) => {
        await createPod(cluster, { name: "page-2b", containers: [shell("main", "true")], ...nowhere });
        await untilUnschedulable(cluster, "page-2b");
      },
    },
  },
  patch: {
    simulated: "needs the nodes of the recording",
    cut: true,
    before: async (cluster) => {
      await createPod(cluster, { name: "patchme", labels: { a: "1" }, containers: [shell("main", "sleep 1000")], ...nowhere });
      await api(cluster, "PATCH", `${podsOf(cluster)}/patchme`, { metadata: { annotations: { n: "0" } } });
      await untilUnschedulable(cluster, "patchme");
    },
    at: { 85: (cluster) => label(cluster, "patchme", { c: "9" }) },
    leaveOut: {
      64: "server-side apply is not simulated",
      65: "server-side apply is not simulated",
      74: "server-side apply is not simulated",
      77: "server-side apply is not simulated",
    },
  },
  nodes: {
    simulated: "needs the nodes of the recording",
    alone: true,
    cut: true,
    at: {
      15460: ({ simulator }) => until("the taint is there", () => JSON.stringify(simulator?.store.list(nodes)).includes("taints")),
      15969: async (cluster) => {
        await createPod(cluster, { name: "cord", containers: [shell("main", "true")] });
        await untilUnschedulable(cluster, "cord");
      },
      16280: ({ simulator }) => until("the taint is gone", () => !JSON.stringify(simulator?.store.list(nodes)).includes("taints")),
    },
    leaveOut: { 133: "leases are not simulated" },
  },
  "secrets-and-ownerreferences": {
    at: {
      6073: (cluster) => untilGone(cluster, "own-orphan"),
      7595: (cluster) => untilGone(cluster, "own-foreground"),
      466: (cluster) => untilPhase(cluster, "owner", "Running"),
      4567: (cluster) => ownedBy(cluster, "own-orphan", "dep-orphan"),
      6088: (cluster) => ownedBy(cluster, "own-foreground", "dep-foreground"),
      7606: async (cluster) => {
        await api(cluster, "DELETE", `/api/v1/namespaces/${cluster.namespace}/secrets/dep-orphan`);
      },
    },
  },
  discovery: {
    simulated: "needs the callers of the recording",
    leaveOut: {
      34: "leases are not simulated",
      36: "leases are not simulated",
      39: "the simulator has fewer groups",
      43: "the simulator has fewer kinds",
      95: "rules reviews are not simulated",
      100: "tokens differ",
    },
    caller: ({ t_ms, headers }) => (t_ms >= 107 && headers === undefined ? "nobody" : undefined),
  },
  logs: {
    simulated: "needs a namespace of its own",
    alone: true,
    before: async (cluster) => {
      const line = (first: string, second: string) => `${echo(first)}; sleep 0.05; ${echo(second)}; sleep 0.65; `;
      const lines =
        line("out 1", "err 1") + line("out 2", "err 2") + line("err 3", "out 3") + line("out 4", "err 4") + line("out 5", "err 5");
      await createPod(cluster, { name: "lg", containers: [shell("main", `${lines}printf "no newline at end"`)] });
    },
    at: {
      671: (cluster) => untilPhase(cluster, "lg", "Running"),
      5743: (cluster) => untilPhase(cluster, "lg", "Succeeded"),
      7635: async (cluster) => {
        const main = 'trap "echo bye; exit 0" TERM; n=0; while true; do n=$((n+1)); echo m $n; sleep 0.1; done';
        const containers = [shell("main", main), shell("two", "sleep 1000")];
        const initContainers = [shell("init", "echo from init")];
        await createPod(cluster, { name: "lg2", terminationGracePeriodSeconds: 2, initContainers, containers });
        await untilPhase(cluster, "lg2", "Running");
      },
      11701: async (cluster) => {
        await untilGone(cluster, "lg2");
        await createPod(cluster, { name: "lg3", containers: [shell("main", "true")], ...nowhere });
        await createPod(cluster, { name: "lg4", containers: [{ name: "main", image: "registry.invalid/none:1" }] });
        await createPod(cluster, { name: "lg5", initContainers: [shell("init", "sleep 1000")], containers: [shell("main", "true")] });
      },
      15426: ({ simulator }) =>
        until("the image is backed off", () => JSON.stringify(simulator?.store.list(pods)).includes("ImagePullBackOff")),
    },
    leaveOut: {
      37: "the container may have been made by then; see the rules",
      68: "the container may have been made by then; see the rules",
      5790: "a time of that day; see the rules",
      5796: "a time of that day; see the rules",
      5801: "depends on the time between requests; see the rules",
      16779: "the client's own view of an empty protocol; see the rules",
    },
    alike: [[/m \d+/g, "m"]],
    closedEarly: ["follow", "follow2", "follow3"],
  },
};

function echo(text: string): string {
  return text.startsWith("err") ? `echo ${text} >&2` : `echo ${text}`;
}

type Cluster = Parameters<NonNullable<Script["before"]>>[0];

async function createSecret(cluster: Cluster, body: JsonObject): Promise<void> {
  await api(cluster, "POST", `/api/v1/namespaces/${cluster.namespace}/secrets`, body);
}

function podsOf({ namespace }: Cluster): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

async function label(cluster: Cluster, name: string, labels: JsonObject): Promise<void> {
  await api(cluster, "PATCH", `${podsOf(cluster)}/${name}`, { metadata: { labels } });
}

async function ownedBy(cluster: Cluster, owner: string, name: string): Promise<void> {
  const pod = await createPod(cluster, { name: owner, containers: [shell("main", "true")], ...nowhere });
  const uid = textAt(pod, "metadata", "uid") ?? "";
  const reference = { apiVersion: "v1", kind: "Pod", name: owner, uid, blockOwnerDeletion: true };
  await createSecret(cluster, { metadata: { name, ownerReferences: [reference] }, stringData: { k: "v" } });
}

/** The pods that the recordings of exec are about; they may share them. */
async function execPods(cluster: Cluster): Promise<void> {
  const ticking = "n=0; while true; do n=$((n+1)); echo tick $n; sleep 1; done";
  const containers = [shell("main", ticking), shell("two", "sleep 1000")];
  const dying = "while ! test -e /tmp/stop; do sleep 0.05; done";
  await createPod(cluster, { name: "ex", initContainers: [shell("init", "true")], containers });
  await createPod(cluster, { name: "exdone", containers: [shell("main", "true")] });
  await createPod(cluster, { name: "expend", containers: [shell("main", "true")], ...nowhere });
  await createPod(cluster, { name: "ex2", containers: [shell("main", dying)] });
  await createPod(cluster, { name: "ex3", containers: [shell("main", "sleep 1000")] });
  for (const name of ["ex", "ex2", "ex3"]) await untilPhase(cluster, name, "Running");
  await untilPhase(cluster, "exdone", "Succeeded");
}

/** Waits until a command in the pod of the execs says something. */
async function untilSaid(cluster: Cluster, command: string, said: string): Promise<void> {
  const query = new URLSearchParams([
    ["container", "main"],
    ["stdout", "true"],
    ...["sh", "-c", command].map((word): [string, string] => ["command", word]),
  ]);
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": "v5.channel.k8s.io" };
  await until(`${command} says ${said}`, async () => {
    const socket = await cluster.webSocket(`${podsOf(cluster)}/ex/exec?${query}`, headers);
    await socket.closed;
    return socket.frames.some(({ payload }) => payload.toString().includes(said));
  });
}

async function untilUnschedulable(cluster: Cluster, name: string, namespace = cluster.namespace): Promise<void> {
  await until(`${name} is told to be unschedulable`, async () => {
    const pod = await api(cluster, "GET", `/api/v1/namespaces/${namespace}/pods/${name}`);
    return JSON.stringify(pod["status"]).includes("Unschedulable");
  });
}
