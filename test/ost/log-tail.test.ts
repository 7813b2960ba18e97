import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { finishLog } from "../../src/ost/finish-log.ts";
import { layout } from "../../src/ost/layout.ts";
import type { LogBytes } from "../../src/ost/log-chunk.ts";
import { openLog } from "../../src/ost/log-object.ts";
import { appendTail, closeTail, readTail, tailBytes } from "../../src/ost/log-tail.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: ReturnType<typeof createRedis>;
const keys = createKeys("{test}");

beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, "commands");
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const chunk = (bytes: number, letter = "x") => Buffer.alloc(bytes, letter);
const held = async (assignment: string) =>
  (await readTail(redis, keys, { assignment, step: "0" }, 0)).chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);

describe("a log's tail", () => {
  it("keeps 64 KiB of what segments hold, and everything that only it holds", async () => {
    const place = { assignment: "a1", step: "0" };
    const append = (offset: number, segmentedTo: number) =>
      appendTail(redis, keys, { ...place, offset, at: 1, bytes: chunk(16_384), segmentedTo });
    for (let i = 0; i < 10; i++) await append(i * 16_384, 0);
    expect(await held("a1")).toBe(10 * 16_384);
    await append(10 * 16_384, 5 * 16_384);
    expect(await held("a1")).toBe(7 * 16_384);
    await append(11 * 16_384, 11 * 16_384);
    expect(await held("a1")).toBe(tailBytes + 16_384);
  });

  it("takes no byte twice, however often an append is repeated", async () => {
    const append = (offset: number, text: string) =>
      appendTail(redis, keys, { assignment: "a2", step: "0", offset, at: 1, bytes: Buffer.from(text), segmentedTo: 0 });
    expect(await append(0, "one")).toBe(true);
    expect(await append(0, "one")).toBe(false);
    expect(await append(3, "two")).toBe(true);
    expect(await append(0, "one")).toBe(false);
    const { chunks } = await readTail(redis, keys, { assignment: "a2", step: "0" }, 0);
    expect(chunks.map(({ offset, bytes }) => [offset, String(bytes)])).toEqual([
      [0, "one"],
      [3, "two"],
    ]);
  });

  it("reads from the middle of a piece on, and tells the end", async () => {
    const place = { assignment: "a3", step: "setup" };
    await appendTail(redis, keys, { ...place, offset: 0, at: 7, bytes: Buffer.from("abcdef"), segmentedTo: 0 });
    expect((await readTail(redis, keys, place, 5)).chunks).toHaveLength(1);
    expect((await readTail(redis, keys, place, 6)).chunks).toHaveLength(0);
    const end = { size: 6, sha256: "00", complete: true };
    await closeTail(redis, keys, { ...place, end });
    await closeTail(redis, keys, { ...place, end });
    expect(await readTail(redis, keys, place, 6)).toEqual({ chunks: [], end });
    expect(await redis.zscore(keys.logTails, "a3:setup")).toBeNull();
    expect(await redis.pttl(keys.log("a3", "setup"))).toBeGreaterThan(0);
  });

  it("shares the room for all tails when there are many", async () => {
    await redis.zadd(keys.logTails, ...Array.from({ length: 8_192 }, (_, i) => [1, `other${i}:0`]).flat());
    await appendTail(redis, keys, { assignment: "a4", step: "0", offset: 0, at: 1, bytes: chunk(16_384), segmentedTo: 0 });
    await appendTail(redis, keys, { assignment: "a4", step: "0", offset: 16_384, at: 1, bytes: chunk(4_096), segmentedTo: 16_384 });
    await appendTail(redis, keys, { assignment: "a4", step: "0", offset: 20_480, at: 1, bytes: chunk(8_192), segmentedTo: 20_480 });
    expect(await held("a4")).toBe(12_288);
    await redis.del(keys.logTails);
  });
});

describe("finishing a log", () => {
  const place = (assignment: string) => ({ runId: "r", task: "t", attempt: 1, step: "0", assignment });
  const text = (content: string, at: number): LogBytes[] => [{ type: "bytes", offset: 0, at, bytes: Buffer.from(content) }];

  it("stays as it is when it is repeated", async () => {
    const outlets = { store: createMemoryStore(), redis, keys };
    const first = await finishLog(outlets, { place: place("f1"), chunks: text("whole\n", 5), shipped: false });
    const again = await finishLog(outlets, { place: place("f1"), chunks: text("other\n", 6), shipped: true });
    expect(again).toEqual(first);
  });

  it("prefers the assignment that began later, where a roll-back has given two of them one attempt number", async () => {
    for (const order of [
      ["old", "new"],
      ["new", "old"],
    ]) {
      const outlets = { store: createMemoryStore(), redis, keys };
      for (const which of order) {
        await finishLog(outlets, { place: place(which), chunks: text(`${which}\n`, which === "new" ? 2_000 : 1_000), shipped: false });
      }
      expect((await openLog(outlets.store, layout.log(place("any"))))?.index.assignment).toBe("new");
    }
  });
});
