import { expect, it, onTestFinished } from "vitest";
import { createCommander } from "../../src/actors/commander.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { heapUsed } from "../support/heap.ts";
import { startRedis } from "../support/redis.ts";

it("keeps nothing of commands that nobody has answered", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const [redis, blocking] = [createRedis(server.url, "commands"), createRedis(server.url, "blocking")];
  onTestFinished(() => redis.disconnect());
  const keys = createKeys("{test}");
  const commander = createCommander({ redis, blocking, keys, shards: 1, processId: "p", confirm: async () => {}, onError: () => {} });
  onTestFinished(() => commander.close());

  const ask = (requestId: string) => commander.ask({ kind: "root-group", id: "/a/b" }, {}, { requestId, replyTimeoutMs: 1 });
  const askAll = async (name: string) => {
    const asked = await Promise.allSettled(Array.from({ length: 10_000 }, (_, i) => ask(`${name}-${i}`)));
    expect(asked.every(({ status }) => status === "rejected")).toBe(true);
  };
  await askAll("first");
  const before = heapUsed();
  await askAll("second");
  expect(heapUsed() - before).toBeLessThan(1_000_000);
});
