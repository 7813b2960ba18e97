import { expect, it, onTestFinished } from "vitest";
import { createWrites } from "../../src/actors/writes.ts";
import { createRunIds } from "../../src/ids.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { meetServer } from "../../src/redis/meet.ts";
import { createRun, type NewRun } from "../../src/redis/scripts/create-run.ts";
import { initMeta } from "../../src/redis/scripts/init-meta.ts";
import { readRun } from "../../src/redis/scripts/read-run.ts";
import { startRedis } from "../support/redis.ts";

const keys = createKeys("{test}");

/** A Redis, and a call that creates a run in it. */
async function world() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = createRedis(server.url, "commands");
  onTestFinished(() => redis.disconnect());
  await initMeta(redis, keys, { installation: "i", shards: 4, protocol: 1 });
  const { history = "" } = (await meetServer(redis, keys)) ?? {};
  const runId = createRunIds()({ timeMs: Date.now(), shard: 1 });
  const run: NewRun = {
    runId,
    group: "/project/web",
    history,
    definition: "j{}",
    event: {},
    row: {},
    summary: { group: "/project/web", name: "build" },
    enqueue: undefined,
  };
  const create = () => createRun(redis, keys, run);
  const forget = async (number: number) => {
    const writes = createWrites(keys);
    writes.effect(1, { type: "forget-run", runId, number, tombstoneUntil: Date.now() + 60_000 });
    for (const [command = "", ...words] of writes.finish().writes) await redis.call(String(command), ...words);
  };
  return { redis, create, forget, runId };
}

it("answers a repeated create with the same number, and creates nothing", async () => {
  const { redis, create } = await world();
  expect(await create()).toMatchObject({ type: "created", number: 1 });
  expect(await create()).toEqual({ type: "created", number: 1, event: undefined });
  expect(await redis.xlen(keys.inbox(1))).toBe(1);
});

it("answers a create that is repeated after its run was archived with the run's number", async () => {
  const { redis, create, forget, runId } = await world();
  await create();
  await forget(1);
  expect(await create()).toEqual({ type: "created", number: 1, event: undefined });
  expect(await readRun(redis, keys, { runId, definition: true })).toEqual({ type: "archived" });
  expect(await redis.xlen(keys.inbox(1))).toBe(1);
});
