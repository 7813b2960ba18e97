import { expect, it, onTestFinished } from "vitest";
import { createRedisOwnerStore } from "../../src/actors/redis-owner-store.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { startRedis } from "../support/redis.ts";

const keys = createKeys("{test}");
const shards = 1;
const position = "entry:1-0";

async function openStore() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const [redis, blocking] = [createRedis(server.url, "commit"), createRedis(server.url, "blocking")];
  onTestFinished(() => redis.disconnect());
  const store = createRedisOwnerStore({ redis, blocking, keys, shards, confirm: async () => {} });
  const register = (scheduler: string) => store.claim({ scheduler, leaseMs: 60_000, shards, token: scheduler, owned: [] });
  return { ...store, register };
}

it("counts the processes that a message may have killed", async () => {
  const { register, release, strike } = await openStore();
  for (const scheduler of ["a", "b", "c"]) {
    await register(scheduler);
    await strike(0, position, scheduler);
    if (scheduler !== "c") await release(scheduler, []);
  }
  expect(await strike(0, position, "c")).toBe(3);
});

it("does not count against a message that owners which live on could not commit it", async () => {
  const { register, strike } = await openStore();
  for (const scheduler of ["a", "b", "c"]) {
    await register(scheduler);
    expect(await strike(0, position, scheduler)).toBe(1);
  }
});
