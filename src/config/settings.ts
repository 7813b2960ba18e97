import {
  boolean,
  duration,
  folder,
  host,
  identifier,
  integer,
  labels,
  names,
  oneOf,
  poolGroups,
  redisPrefix,
  secretKey,
  size,
  someOf,
  text,
  token,
  url,
} from "./kinds.ts";
import { derived, fixed, optional, type ValuesOf } from "./setting.ts";

/** Every setting of `ostler serve` but the executor's. To add one: an entry here; the page, flag and checks follow. */
export const serverSettings = {
  roles: fixed({
    env: "OSTLER_ROLES",
    kind: someOf(["api", "scheduler", "executor"]),
    default: "api,scheduler,executor",
    about:
      "What this process does. Several roles run as supervised child processes; a single one runs in this process, and needs OSTLER_REDIS_URL.",
  }),
  port: fixed({
    env: "OSTLER_PORT",
    kind: integer(0, 65_535),
    default: "7070",
    about: "Port of the REST API and the dashboards; 0 picks a free one.",
  }),
  host: fixed({
    env: "OSTLER_HOST",
    kind: host,
    default: "127.0.0.1",
    about: "Address to listen on. Anything but loopback needs OSTLER_ADMIN_TOKEN.",
  }),
  dataDir: derived({
    env: "OSTLER_DATA_DIR",
    kind: folder,
    derive: (machine) => `${machine.dataHome}/ostler`,
    derived: "`$XDG_DATA_HOME/ostler` (`scripts/start`: `./.ostler`)",
    about:
      "Folder for what this machine keeps: the private Redis, object storage, the secret key, executors' spools, working folders of tasks.",
  }),
  redisUrl: optional({
    env: "OSTLER_REDIS_URL",
    kind: url(["redis:", "rediss:", "unix:"], "redis://host:port/db, rediss://… or unix:///path/to/socket"),
    absent: "a private Redis is started in the data folder",
    about: "The Redis or Valkey that all processes of an installation share.",
    secret: true,
  }),
  redisPrefix: fixed({
    env: "OSTLER_REDIS_PREFIX",
    kind: redisPrefix,
    default: "{ostler}",
    about:
      "Start of every key. Its hash tag keeps all keys of an installation in one slot; two installations on one Redis need different ones.",
  }),
  redisMaxMemoryBytes: derived({
    env: "OSTLER_REDIS_MAX_MEMORY",
    kind: size,
    derive: (machine) => String(Math.min(Math.floor(machine.memoryBytes / 4), 4 * 1024 ** 3)),
    derived: "a quarter of the machine's memory, at most 4Gi",
    about: "How much the private Redis may keep. Above three quarters of it, creating runs is refused (503), so that those there can end.",
  }),
  ostUrl: optional({
    env: "OSTLER_OST_URL",
    kind: url(["file:"], "file:///absolute/path (s3:// is not supported by this version yet)", (parsed) => parsed.host === ""),
    absent: "the folder `ost` in the data folder",
    about: "Object storage, which keeps definitions, logs, archives and history. Executors, schedulers and the API must all reach it.",
  }),
  adopt: optional({
    env: "OSTLER_ADOPT",
    kind: identifier,
    absent: "an empty Redis takes the place of one that was seen in object storage less than five minutes ago only if told so",
    about:
      "The id of the installation in object storage that an empty Redis, or an empty object storage beside this Redis, is to continue.",
  }),
  durability: fixed({
    env: "OSTLER_DURABILITY",
    kind: oneOf(["everysec", "acknowledged", "replicated"]),
    default: "acknowledged",
    about:
      "What an answered request survives. `everysec`: a crash of Redis may lose the last second of answered requests. `acknowledged`: answers wait until Redis has them on disk. `replicated`: besides that, until a replica has them.",
  }),
  shards: fixed({
    env: "OSTLER_SHARDS",
    kind: integer(1, 1024),
    default: "16",
    about: "Into how many parts the schedulers divide the work. Stored at the first start; a different number later is refused.",
  }),
  shardLeaseMs: fixed({
    env: "OSTLER_SHARD_LEASE",
    kind: duration(100),
    default: "5s",
    about: "How long a scheduler owns a shard without renewing. Shorter finds a dead scheduler sooner, longer forgives longer pauses.",
  }),
  heartbeatIntervalMs: fixed({
    env: "OSTLER_HEARTBEAT_INTERVAL",
    kind: duration(10),
    default: "5s",
    about: "How often an executor says that it is alive.",
  }),
  heartbeatTtlMs: fixed({
    env: "OSTLER_HEARTBEAT_TTL",
    kind: duration(50),
    default: "20s",
    about: "How long an executor is believed to be alive without a heartbeat; at least twice the interval.",
  }),
  secretKey: optional({
    env: "OSTLER_SECRET_KEY",
    kind: secretKey,
    absent: "made at the first start, in the file `secret-key` of the data folder",
    about:
      "The key that seals secrets of definitions. API and executors need the same one; without it, what is stored stays sealed for ever.",
    secret: true,
  }),
  adminToken: optional({
    env: "OSTLER_ADMIN_TOKEN",
    kind: token,
    absent: "every caller is the local administrator, and only loopback is listened on",
    about: "A token with every right. Switches authentication on.",
    secret: true,
  }),
  maxBodyBytes: fixed({
    env: "OSTLER_MAX_BODY",
    kind: size,
    default: "32Mi",
    about: "The largest request body; a larger one is answered with 413.",
  }),
  maxSourceBytes: fixed({
    env: "OSTLER_MAX_SOURCE",
    kind: size,
    default: "4Gi",
    about: "The largest upload of files for runs, compressed. It goes to object storage as it comes, so this is about disks, not memory.",
  }),
  maxStreams: fixed({
    env: "OSTLER_MAX_STREAMS",
    kind: integer(1, 1_000_000),
    default: "1000",
    about: "How many event streams (events, followed logs) a caller may keep open at one api process; more are answered with 429.",
  }),
  maxRequestsPerSecond: optional({
    env: "OSTLER_MAX_REQUESTS_PER_SECOND",
    kind: integer(1, 1_000_000),
    absent: "nobody is limited",
    about: "How many API requests a caller may make at one api process, on average; more are answered with 429.",
  }),
  poolGroups: fixed({
    env: "OSTLER_POOL_GROUPS",
    kind: poolGroups,
    default: "",
    about:
      "By pool the groups at or below which runs may use it; a pool that is not listed is open to all. A run of another group that asks for it has a setup error. Every process with the role `api` needs the same one.",
  }),
  allowPod: fixed({
    env: "OSTLER_ALLOW_POD",
    kind: boolean,
    default: "false",
    about:
      "Whether tasks may say where their pods go (`pod:` with node selectors, tolerations, a service account). What is granted is up to each executor's `OSTLER_KUBERNETES_…` lists. Every process with the role `api` needs the same one.",
  }),
  logLevel: fixed({
    env: "OSTLER_LOG_LEVEL",
    kind: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: "info",
    about: "The least severe log lines that are written.",
  }),
} as const;

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

/** The values of all settings of `ostler serve`. */
export interface ServerValues extends ValuesOf<typeof serverSettings> {
  readonly executor: ValuesOf<typeof executorSettings>;
}

/** The settings of the command line client. `ostler serve` ignores them. */
export const clientSettings = {
  url: fixed({
    env: "OSTLER_URL",
    kind: url(["http:", "https:"], "http://host:port or https://…"),
    default: "http://127.0.0.1:7070",
    about: "Where the API is.",
  }),
  token: optional({
    env: "OSTLER_TOKEN",
    kind: text,
    absent: "requests carry no token",
    about: "The token to show to the API.",
    secret: true,
  }),
  outputFormat: optional({
    env: "OSTLER_OUTPUT_FORMAT",
    kind: oneOf(["table", "json", "yaml", "name"]),
    absent: "what each command prints by itself",
    about: "How lists and objects are printed (flag `-o`).",
  }),
} as const;

/** What the steps of a run receive; a server or client started by a step ignores them. */
export const stepNames = /^OSTLER_(?:RUN_ID|RUN_NUMBER|RUN_GROUP|TASK|ATTEMPT|STEP|ARCH|OUTPUT|POD|OUTPUT_(?!FORMAT$).+)$/;
