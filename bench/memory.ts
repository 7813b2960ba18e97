import { createRedis, type RedisConnection } from "../src/redis/connection.ts";
import { createKeys } from "../src/redis/keys.ts";
import type { TestRedis } from "../test/support/redis.ts";
import { startInstallation } from "./ostler/installation.ts";
import { type Shape, taskCount } from "./shapes.ts";

export interface MemoryFigures {
  readonly shape: Shape;
  readonly tasks: number;
  /** Bytes in Redis per finished run, all in. */
  readonly bytes: number;
  /** Without its definition, its events, and its share of `events` and `index:rows`. */
  readonly withoutHistory: number;
  /** What is left of it once it is archived. */
  readonly archived: number;
}

const runs = 400;

/** Measures what finished runs hold in Redis, by the server's own account of each key. */
export async function measureMemory(server: TestRedis, shape: Shape): Promise<MemoryFigures> {
  const installation = await startInstallation(server);
  const redis = createRedis(server.url, "commands");
  try {
    await installation.run({ shape, runs, concurrency: 50 });
    const live = await bytesByKind(redis);
    await installation.archive();
    const archived = await bytesByKind(redis);
    return {
      shape,
      tasks: taskCount(shape),
      bytes: (live.state + live.run + live.definition + live.events) / runs,
      withoutHistory: (live.state + live.run) / runs,
      archived: archived.run / runs,
    };
  } finally {
    redis.disconnect();
    await installation.close();
  }
}

type Kind = "state" | "run" | "definition" | "events" | "other";

function kindOf(key: string): Kind {
  const name = key.slice(createKeys("{ostler}").prefix.length + 1);
  if (name.startsWith("state:") || name.startsWith("due:") || name.startsWith("effects:")) return "state";
  if (!name.startsWith("run:")) return "other";
  if (name.endsWith(":def")) return "definition";
  return name.endsWith(":events") ? "events" : "run";
}

async function bytesByKind(redis: RedisConnection): Promise<Record<Kind, number>> {
  const sum: Record<Kind, number> = { state: 0, run: 0, definition: 0, events: 0, other: 0 };
  for await (const keys of redis.scanStream({ match: "{ostler}:*", count: 500 })) {
    for (const key of keys) sum[kindOf(key)] += Number((await redis.call("MEMORY", "USAGE", key, "SAMPLES", "0")) ?? 0);
  }
  return sum;
}
