/** Where the private Redis listens: a socket in its folder, or, where that path is too long for a socket, loopback with a password. */
export type Endpoint =
  | { readonly type: "socket"; readonly path: string }
  | { readonly type: "port"; readonly port: number; readonly password: string };

/** The URL that clients connect to. */
export function urlOf(endpoint: Endpoint): string {
  if (endpoint.type === "port") return `redis://:${endpoint.password}@127.0.0.1:${endpoint.port}`;
  // Escaped by hand: pathToFileURL would claim another scheme, and the reader decodes percents.
  return `unix://${endpoint.path.split("/").map(encodeURIComponent).join("/")}`;
}

export interface RedisPolicy {
  readonly fsync: Fsync;
  readonly maxMemoryBytes: number;
}

/** What an answered write survives: `always` is on disk, `everysec` may miss the last second. */
export type Fsync = "always" | "everysec";

/**
 * The private server's configuration. Never evicts; keeps its process title, by which a server that outlived ostler is found again;
 * no snapshots, because the append-only file holds everything and a fork of a big memory is felt.
 */
export function redisConfig(folder: string, endpoint: Endpoint, { fsync, maxMemoryBytes }: RedisPolicy): string {
  const listen =
    endpoint.type === "socket"
      ? ["port 0", `unixsocket ${quote(endpoint.path)}`, "unixsocketperm 700"]
      : ["bind 127.0.0.1", `port ${endpoint.port}`, `requirepass ${endpoint.password}`];
  return [
    "# Written by ostler at every start of its private Redis: changes here are lost.",
    ...listen,
    `dir ${quote(folder)}`,
    `logfile ${quote(`${folder}/redis.log`)}`,
    "appendonly yes",
    `appendfsync ${fsync}`,
    'save ""',
    `maxmemory ${maxMemoryBytes}`,
    "maxmemory-policy noeviction",
    "set-proc-title no",
    "daemonize no",
    "",
  ].join("\n");
}

/** Redis reads double quotes with C-like escapes. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
