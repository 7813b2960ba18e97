import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { createQueueWakes } from "../../src/actors/wakes.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const keys = createKeys("{test}");

async function world() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const connection = createRedis(server.url, "queue");
  onTestFinished(() => connection.disconnect());
  const wakes = createQueueWakes({ connection, keys, log: pino({ level: "silent" }) });
  const keysOf = (executor: string) => connection.keys(`{test}:executor-${executor}:*`);
  return { wakes, keysOf };
}

it("leaves nothing in Redis of the queue of an executor that was removed", async () => {
  const { wakes, keysOf } = await world();
  const assigned = new Map(["gone", "other"].map((executor) => [executor, Array.from({ length: 60 }, (_, i) => `assignment-${i}`)]));
  wakes.wake(assigned);
  await until("both queues are there", async () => (await keysOf("gone")).length > 3 && (await keysOf("other")).length > 3);
  wakes.forget(["gone", "never-seen"]);
  await until("the queue is gone", async () => (await keysOf("gone")).length === 0);
  await wakes.close();
  expect((await keysOf("other")).length).toBeGreaterThan(3);
  expect(await keysOf("never-seen")).toEqual([]);
});
