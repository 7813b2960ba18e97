import { boolean, duration, identifier, integer, labels, names, oneOf, someOf, text, url } from "./kinds.ts";
import { derived, fixed, optional } from "./setting.ts";

/** The pod platforms that an executor can drive. */
export const driverKinds = ["process", "docker", "kubernetes"] as const;
export type DriverKind = (typeof driverKinds)[number];

/** The settings of the executor role. */
export const executorSettings = {
  id: derived({
    env: "OSTLER_EXECUTOR_ID",
    kind: identifier,
    derive: (machine) =>
      machine.hostname
        .replace(/[^A-Za-z0-9._-]/g, "-")
        .replace(/^[^A-Za-z0-9]+/, "")
        .slice(0, 63) || "executor",
    derived: "the host's name",
    about: "Who this executor is, once in an installation. A process that starts with the id of one that stopped takes over its pods.",
  }),
  pool: fixed({
    env: "OSTLER_EXECUTOR_POOL",
    kind: identifier,
    default: "default",
    about: "The set of executors that a task's `pool` names.",
  }),
  group: optional({
    env: "OSTLER_EXECUTOR_GROUP",
    kind: identifier,
    absent: "the driver derives it",
    about: "The executors that see the same pods, and clean up after one another.",
  }),
  driver: fixed({
    env: "OSTLER_EXECUTOR_DRIVER",
    alias: "driver",
    kind: oneOf(driverKinds),
    default: "process",
    about:
      "What tasks run on. `process`: processes of this machine, without isolation. `docker`: containers of a Docker daemon. `kubernetes`: pods of a cluster.",
  }),
  labels: fixed({
    env: "OSTLER_EXECUTOR_LABELS",
    kind: labels,
    default: "",
    about: "What tasks can ask for: a task fits if the executor has all of its labels.",
  }),
  archs: optional({
    env: "OSTLER_EXECUTOR_ARCHS",
    kind: someOf(["amd64", "arm64", "arm", "386"]),
    absent: "the platform's",
    about: "The architectures of the pods that this executor can start.",
  }),
  taskLimit: derived({
    env: "OSTLER_EXECUTOR_TASK_LIMIT",
    kind: integer(1, 10_000),
    derive: (machine) => String(machine.cores),
    derived: "the number of cores",
    about: "How many tasks run at once.",
  }),
  dynamic: fixed({
    env: "OSTLER_EXECUTOR_DYNAMIC",
    kind: boolean,
    default: "false",
    about: "True for executors that come and go, as an autoscaler's: the record of a lost one goes once its pods are gone.",
  }),
  fenceMs: fixed({
    env: "OSTLER_EXECUTOR_FENCE",
    kind: duration(50),
    default: "10m",
    about:
      "How long pods go on without hearing from their executor, and the least time before others touch its pods; at least the heartbeat's ttl.",
  }),
  allowPrivileged: fixed({
    env: "OSTLER_EXECUTOR_ALLOW_PRIVILEGED",
    kind: boolean,
    default: "false",
    about: "Whether privileged containers may run here. The `process` driver never allows it.",
  }),
  helperImage: fixed({
    env: "OSTLER_HELPER_IMAGE",
    kind: text,
    default: "busybox:1.37-musl",
    about: "The image with a static `/bin/busybox` that every pod gets its helper from. Only drivers of containers need it.",
  }),
  dockerHost: derived({
    env: "OSTLER_DOCKER_HOST",
    kind: url(["unix:", "tcp:", "http:", "https:"], "unix:///path/to/socket, tcp://host:port or https://host:port"),
    derive: (machine) => machine.dockerHost ?? "unix:///var/run/docker.sock",
    derived: "`DOCKER_HOST`, else `unix:///var/run/docker.sock`",
    about: "Where the `docker` driver finds its daemon. One that asks for a client certificate is not supported yet.",
  }),
  kubernetesNamespace: optional({
    env: "OSTLER_KUBERNETES_NAMESPACE",
    kind: identifier,
    absent: "the kubeconfig context's, in a cluster that of the executor's own pod, else `default`",
    about: "The namespace that the `kubernetes` driver makes pods in.",
  }),
  kubernetesContext: optional({
    env: "OSTLER_KUBERNETES_CONTEXT",
    kind: text,
    absent: "the kubeconfig's current one",
    about: "The kubeconfig's context for the `kubernetes` driver.",
  }),
  kubernetesKubeconfig: optional({
    env: "OSTLER_KUBERNETES_KUBECONFIG",
    kind: text,
    absent: "`KUBECONFIG`, else `~/.kube/config`, else the service account of the pod that the executor runs in",
    about: "The file that tells the `kubernetes` driver where the cluster is.",
  }),
  kubernetesHelper: fixed({
    env: "OSTLER_KUBERNETES_HELPER",
    kind: oneOf(["before", "beside"]),
    default: "before",
    about:
      "How the helper gets into pods. `before`: by an init container, about a second. `beside`: by a container that node agents start before the others, a quarter of that; they all wait for its hook, but Kubernetes does not promise it.",
  }),
  kubernetesNodeSelectors: fixed({
    env: "OSTLER_KUBERNETES_NODE_SELECTORS",
    kind: names,
    default: "",
    about: "The node labels that tasks may ask for, as `zone` (with any value) or `size=big`; `*` is all.",
  }),
  kubernetesTolerations: fixed({
    env: "OSTLER_KUBERNETES_TOLERATIONS",
    kind: names,
    default: "",
    about:
      "The taints that tasks may tolerate, as `gpu` (with any value) or `team=ci`; `*` is all, which a toleration without a key needs.",
  }),
  kubernetesServiceAccounts: fixed({
    env: "OSTLER_KUBERNETES_SERVICE_ACCOUNTS",
    kind: names,
    default: "",
    about: "The service accounts that tasks may ask their pods to run as; `*` is all. No pod gets a token of its account.",
  }),
} as const;
