import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { type Commit, sendCommit } from "../../src/redis/scripts/commit.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const keys = createKeys("{test}");
const shard = 3;

let server: TestRedis;
let redis: RedisConnection;

beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, "commands");
});

beforeEach(async () => {
  await redis.flushall();
  await redis.set(keys.own(shard), "token", "PX", 60_000);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** A commit that sets `written` to its own id. */
function commit(number: number, change: Partial<Commit> & { readonly token?: string; readonly consumed?: string } = {}): Commit {
  const { token = "token", consumed, ...rest } = change;
  const id = rest.id ?? `commit-${number}`;
  return {
    id,
    leaseMs: 60_000,
    shards: [{ shard, token, number, consumed }],
    absent: [],
    writes: [["SET", "{test}:written", id]],
    ...rest,
  };
}

const send = (request: Commit) => sendCommit(redis, keys, request);
const written = () => redis.get("{test}:written");

describe("a commit", () => {
  it("that follows the last one of its shard is applied", async () => {
    expect(await send(commit(1))).toMatchObject({ type: "committed" });
    expect(await send(commit(2))).toMatchObject({ type: "committed" });
    expect(await written()).toBe("commit-2");
  });

  it("that is sent again is recognised and not applied again", async () => {
    await send(commit(1));
    await redis.set("{test}:written", "since");
    expect(await send(commit(1))).toMatchObject({ type: "repeated" });
    expect(await written()).toBe("since");
  });

  it("under a token that does not hold the lease any more is refused, also if nobody has committed since", async () => {
    await send(commit(1));
    await redis.set(keys.own(shard), "another", "PX", 60_000);
    expect(await send(commit(2))).toEqual({ type: "lost", shard });
    expect(await written()).toBe("commit-1");
  });

  it("that was decided on states which Redis has lost is refused, although its lease is valid", async () => {
    await send(commit(1));
    expect(await send(commit(3))).toEqual({ type: "broken", shard });
    expect(await send(commit(1, { id: "other" }))).toEqual({ type: "broken", shard });
    expect(await written()).toBe("commit-1");
  });

  it("that consumes an entry which Redis has lost is refused", async () => {
    expect(await send(commit(1, { consumed: "5-1" }))).toEqual({ type: "broken", shard });
    expect(await written()).toBeNull();
  });

  it("trims what it consumes, and nothing behind it", async () => {
    for (const id of ["5-1", "5-2", "5-3"]) await redis.xadd(keys.inbox(shard), id, "m", "[]");
    await send(commit(1, { consumed: "5-2" }));
    expect((await redis.xrange(keys.inbox(shard), "-", "+")).map(([id]) => id)).toEqual(["5-3"]);
  });

  it("of which a key that must be absent is there changes nothing", async () => {
    await redis.set("{test}:alive", "x");
    expect(await send(commit(1, { absent: ["{test}:alive"] }))).toEqual({ type: "present", key: "{test}:alive" });
    expect(await written()).toBeNull();
    expect(await send(commit(1))).toMatchObject({ type: "committed" });
  });

  it("of several shards is applied in all of them or in none", async () => {
    const both = (number: number): Commit => ({
      ...commit(number),
      shards: [shard, 4].map((each) => ({ shard: each, token: "token", number, consumed: undefined })),
    });
    expect(await send(both(1))).toEqual({ type: "lost", shard: 4 });
    expect(await written()).toBeNull();
    await redis.set(keys.own(4), "token", "PX", 60_000);
    expect(await send(both(1))).toMatchObject({ type: "committed" });
  });

  it("may write hundreds of thousands of words", async () => {
    const writes = Array.from({ length: 100 }, (_, i) => ["HSET", "{test}:many", ...Array.from({ length: 4_000 }, (_, j) => `${i}-${j}`)]);
    expect(await send(commit(1, { writes }))).toMatchObject({ type: "committed" });
    expect(await redis.hlen("{test}:many")).toBe(200_000);
  });

  it("renews the leases of its shards", async () => {
    await redis.set(keys.own(shard), "token", "PX", 1_000);
    await send(commit(1));
    expect(await redis.pttl(keys.own(shard))).toBeGreaterThan(30_000);
  });
});
