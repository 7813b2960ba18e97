import type { executorSettings } from "./executor-settings.ts";
import {
  boolean,
  duration,
  folder,
  host,
  identifier,
  integer,
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
