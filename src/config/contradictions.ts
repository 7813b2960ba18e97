import { formatDuration } from "../duration.ts";
import { executorSettings as executor } from "./executor-settings.ts";
import type { Fault } from "./read.ts";
import { type ServerValues, serverSettings as server } from "./settings.ts";

/** Settings that are each fine but not together. `of` are their variables: one that is faulty already is not blamed twice. */
interface Contradiction {
  readonly of: readonly string[];
  readonly find: (values: ServerValues) => string | undefined;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/;

const contradictions: readonly Contradiction[] = [
  {
    of: [server.host.env, server.adminToken.env],
    find: ({ roles, host, adminToken }) =>
      roles.includes("api") && !loopback.test(host) && adminToken === undefined
        ? `OSTLER_HOST=${host} listens to other machines, which needs OSTLER_ADMIN_TOKEN`
        : undefined,
  },
  {
    of: [server.roles.env, server.redisUrl.env],
    find: ({ roles, redisUrl }) =>
      roles.length === 1 && redisUrl === undefined
        ? `OSTLER_ROLES=${roles.join()} needs OSTLER_REDIS_URL: a role by itself must be told which Redis the others use`
        : undefined,
  },
  {
    of: [server.durability.env, server.redisUrl.env],
    find: ({ durability, redisUrl }) =>
      durability === "replicated" && redisUrl === undefined
        ? "OSTLER_DURABILITY=replicated needs OSTLER_REDIS_URL: the private Redis has no replica"
        : undefined,
  },
  {
    of: [server.heartbeatIntervalMs.env, server.heartbeatTtlMs.env],
    find: ({ heartbeatIntervalMs, heartbeatTtlMs }) =>
      heartbeatTtlMs < 2 * heartbeatIntervalMs
        ? `OSTLER_HEARTBEAT_TTL (${formatDuration(heartbeatTtlMs)}) must be at least twice OSTLER_HEARTBEAT_INTERVAL (${formatDuration(heartbeatIntervalMs)}), or one late heartbeat loses an executor`
        : undefined,
  },
  {
    of: [server.heartbeatTtlMs.env, executor.fenceMs.env],
    find: ({ heartbeatTtlMs, executor: { fenceMs } }) =>
      fenceMs < heartbeatTtlMs
        ? `OSTLER_EXECUTOR_FENCE (${formatDuration(fenceMs)}) must not be less than OSTLER_HEARTBEAT_TTL (${formatDuration(heartbeatTtlMs)}), or pods end while their executor is believed alive`
        : undefined,
  },
  {
    of: [executor.driver.env, executor.allowPrivileged.env],
    find: ({ executor: { driver, allowPrivileged } }) =>
      driver === "process" && allowPrivileged
        ? "OSTLER_EXECUTOR_ALLOW_PRIVILEGED: the process driver has no privileged containers"
        : undefined,
  },
];

/** Every contradiction among settings that are not in `faulty` (variables). */
export function findContradictions(values: ServerValues, faulty: ReadonlySet<string>): readonly Fault[] {
  return contradictions
    .filter(({ of }) => !of.some((env) => faulty.has(env)))
    .flatMap(({ find }) => find(values) ?? [])
    .map((message) => ({ message }));
}
