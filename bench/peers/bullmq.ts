import { createRedis } from "../../src/redis/connection.ts";
import type { TestRedis } from "../../test/support/redis.ts";
import { startChild } from "../child.ts";
import { measure, type Usage } from "../usage.ts";

export interface PeerWork {
  readonly tasks: number;
  /** How to ask the producer for them. */
  readonly request: unknown;
}

/** Runs `work` through BullMQ with a producer and a worker process on the given server, after a warm-up. */
export async function runBullmq(server: TestRedis, concurrency: number, work: PeerWork): Promise<Usage> {
  const redis = createRedis(server.url, "commands");
  await redis.flushall();
  const queue = "bench";
  const producer = await startChild(new URL("./bullmq-producer.ts", import.meta.url), { url: server.url, queue });
  const worker = await startChild(new URL("./bullmq-worker.ts", import.meta.url), { url: server.url, queue, concurrency });
  try {
    await Promise.all([worker.ask(500), producer.ask({ type: "jobs", count: 500 })]);
    return await measure({
      redis,
      redisPid: server.pid(),
      nodePids: [producer.pid, worker.pid],
      work: async () => {
        await Promise.all([worker.ask(work.tasks), producer.ask(work.request)]);
      },
    });
  } finally {
    await Promise.all([producer.stop(), worker.stop()]);
    redis.disconnect();
  }
}
