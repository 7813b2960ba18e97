import { readFileSync } from "node:fs";
import type { RedisConnection } from "../src/redis/connection.ts";

/** What a phase of a benchmark consumed. CPU in microseconds, user and system together. */
export interface Usage {
  readonly redisCpuUs: number;
  readonly nodeCpuUs: number;
  /** As the server counts them: commands inside scripts too. */
  readonly commands: number;
  readonly wallMs: number;
}

const ticksPerSecond = 100;

/** CPU time of a process so far, from /proc (Linux). */
function cpuUs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name may hold spaces and brackets; fields count from behind it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}

async function commandCount(redis: RedisConnection): Promise<number> {
  const info = await redis.info("commandstats");
  let sum = 0;
  for (const [, calls = "0"] of info.matchAll(/calls=(\d+)/g)) sum += Number(calls);
  return sum;
}

/** Measures what `work` costs the server and the given processes. */
export async function measure(options: {
  readonly redis: RedisConnection;
  readonly redisPid: number;
  readonly nodePids: readonly number[];
  readonly work: () => Promise<void>;
}): Promise<Usage> {
  const { redis, redisPid, nodePids, work } = options;
  const nodes = () => nodePids.reduce((sum, pid) => sum + cpuUs(pid), 0);
  const before = { redis: cpuUs(redisPid), node: nodes(), commands: await commandCount(redis), at: performance.now() };
  await work();
  return {
    wallMs: performance.now() - before.at,
    redisCpuUs: cpuUs(redisPid) - before.redis,
    nodeCpuUs: nodes() - before.node,
    commands: (await commandCount(redis)) - before.commands,
  };
}
