import { expect, it } from "vitest";
import { createActorCache } from "../../../src/actors/cache.ts";
import { createHost } from "../../../src/actors/host.ts";
import { createRunActor } from "../../../src/actors/run/actor.ts";
import { createRunIds } from "../../../src/ids.ts";
import { decodeDefinition, encodeDefinition } from "../../../src/redis/definition-codec.ts";
import { createKeys } from "../../../src/redis/keys.ts";
import { heapUsed } from "../../support/heap.ts";
import { freshlyCreated, storedRun } from "./run/fixtures.ts";

const megabyte = 2 ** 20;
const tasks = Object.fromEntries(
  Array.from({ length: 200 }, (_, i) => [`task ${i}`, { image: "node:24", steps: [{ run: `npm test ${i}` }] }]),
);

/** Two hundred tasks that are much alike, so that they take little of Redis. */
function storedAsInRedis() {
  const stored = freshlyCreated(storedRun({ tasks }));
  return { ...stored, parts: stored.parts.map((part) => (typeof part === "string" ? encodeDefinition(part) : part)) };
}

it("keeps to its budget, though runs take a hundred times as much of memory as of Redis", async () => {
  const host = createHost(createRunActor({ keys: createKeys("{test}"), decodeDefinition }));
  const stored = storedAsInRedis();
  const cache = createActorCache({
    hosts: new Map([["run", host]]),
    load: async (actors) => actors.map(() => stored),
    budget: 20 * megabyte,
    onUnreadable: (_, error) => {
      throw error;
    },
  });
  const nextId = createRunIds();
  const before = heapUsed();
  for (let i = 0; i < 600; i++) {
    const actor = `run/${nextId({ timeMs: 1, shard: 0 })}`;
    await cache.load(new Map([[actor, 0]]));
    expect(cache.get(actor)?.instance.dirty()).toBe(false);
    cache.trim();
  }
  expect(heapUsed() - before).toBeLessThan(40 * megabyte);
});
