import type { RedisConnection } from "../redis/connection.ts";
import type { Durability } from "../redis/durability.ts";
import { judgeClock } from "./clock.ts";
import { type Finding, failed, ok, warning } from "./finding.ts";

/** Every ostler process takes about 20 connections; a scheduler, an API and a few executors must find room, and administrators too. */
const leastClients = 200;
/** Creating runs is refused above. */
const fullShare = 0.75;

export interface RedisCheck {
  readonly redis: RedisConnection;
  readonly durability: Durability;
  readonly heartbeatTtlMs: number;
  /** This machine's clock, ms since the epoch. */
  readonly now: () => number;
}

/** What Redis says of itself (`INFO`), by name, and its settings as far as this user may read them. */
interface Said {
  readonly info: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
}

/** Whether this Redis keeps what ostler writes, for as long as it must (docs/operating-redis.md). Rejects if it does not answer. */
export async function checkRedis({ redis, durability, heartbeatTtlMs, now }: RedisCheck): Promise<readonly Finding[]> {
  const said = { info: parseInfo(await redis.info()), settings: await readSettings(redis) };
  const askedMs = now();
  const [seconds = 0, microseconds = 0] = (await redis.time()).map(Number);
  const clock = judgeClock({
    check: "redis.clock",
    whose: "Redis's clock",
    otherMs: seconds * 1000 + microseconds / 1000,
    askedMs,
    answeredMs: now(),
    toleratedMs: heartbeatTtlMs / 4,
  });
  return [
    checkVersion(said),
    checkRole(said),
    checkEviction(said),
    checkMemory(said),
    checkDurability(said, durability),
    ...checkClients(said),
    clock,
  ];
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(Array.from(text.matchAll(/^(\w+):(.*?)\r?$/gm), ([, name = "", value = ""]) => [name, value]));
}

/** Managed servers refuse CONFIG: what only it tells stays unknown then. */
async function readSettings(redis: RedisConnection): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  for (const name of ["appendfsync", "timeout"]) {
    const [, value] = await redis.config("GET", name).catch(() => []);
    if (typeof value === "string") settings.set(name, value);
  }
  return settings;
}

function isAtLeast({ info }: Said, wanted: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = (info.get("redis_version") ?? "").split(".").map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

function checkVersion(said: Said): Finding {
  const valkey = said.info.get("valkey_version");
  const name = valkey === undefined ? `Redis ${said.info.get("redis_version") ?? "of an unknown version"}` : `Valkey ${valkey}`;
  return isAtLeast(said, [7, 0]) ? ok("redis.version", name) : failed("redis.version", name, "use Redis 7.0 or newer, or Valkey");
}

function checkRole({ info }: Said): Finding {
  if (info.get("role") === "master") return ok("redis.role", "takes writes");
  return failed("redis.role", "this is a replica, which takes no writes", "set OSTLER_REDIS_URL to the primary");
}

function checkEviction({ info }: Said): Finding {
  const policy = info.get("maxmemory_policy") ?? "unknown";
  if (policy === "noeviction") return ok("redis.eviction", "evicts nothing");
  return failed("redis.eviction", `maxmemory-policy is ${policy}: keys vanish, and runs with them`, "set maxmemory-policy noeviction");
}

function checkMemory({ info }: Said): Finding {
  const [used, limit] = [Number(info.get("used_memory")), Number(info.get("maxmemory"))];
  if (limit === 0) {
    const message = "maxmemory is not set: when memory is full, the kernel ends Redis";
    return warning(
      "redis.memory",
      message,
      "set maxmemory to what the machine can spare, less half for the rewrite of the append-only file",
    );
  }
  const share = `${Math.round((100 * used) / limit)} % of maxmemory are used`;
  if (used <= fullShare * limit) return ok("redis.memory", share);
  return failed(
    "redis.memory",
    `${share}: creating runs is refused`,
    "let runs end, see whether object storage is reachable, raise maxmemory",
  );
}

function checkDurability(said: Said, durability: Durability): Finding {
  const check = "redis.durability";
  const setting = `OSTLER_DURABILITY=${durability}`;
  const [appends, fsync] = [said.info.get("aof_enabled") === "1", said.settings.get("appendfsync")];
  if (durability === "replicated" && Number(said.info.get("connected_slaves")) < 1) {
    return failed(
      check,
      `${setting}, but no replica is connected: nothing is confirmed`,
      "connect a replica, or set OSTLER_DURABILITY=acknowledged",
    );
  }
  if (!appends) {
    const advice = "set appendonly yes and appendfsync always";
    if (durability === "everysec") return warning(check, "there is no append-only file: a restart of Redis loses all live runs", advice);
    return failed(check, `${setting}, but there is no append-only file`, advice);
  }
  if (durability === "everysec" || fsync === "always" || isAtLeast(said, [7, 2])) return ok(check, `keeps what ${setting} promises`);
  return failed(
    check,
    `${setting}, but appendfsync is ${fsync ?? "unknown"} and WAITAOF came with 7.2`,
    "set appendfsync always, or use Redis 7.2",
  );
}

function checkClients({ info, settings }: Said): readonly Finding[] {
  const [connected, most] = [Number(info.get("connected_clients")), Number(info.get("maxclients"))];
  const message = `${connected} of ${most} connections are in use`;
  const advice = "raise maxclients: every ostler process takes about 20";
  const isShort = most < leastClients || connected > fullShare * most;
  const clients = Number.isNaN(most) ? [] : [isShort ? warning("redis.clients", message, advice) : ok("redis.clients", message)];
  const timeout = settings.get("timeout") ?? "0";
  if (timeout === "0") return clients;
  return [
    ...clients,
    warning("redis.timeout", `Redis cuts connections that are idle for ${timeout} s, which blocking reads are`, "set timeout 0"),
  ];
}
