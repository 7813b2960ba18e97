import pino from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeDefinition } from "../../src/archive/definition-object.ts";
import { Claim, claimInstallation, renewClaim } from "../../src/ost/installation.ts";
import { jsonBytes, readJson } from "../../src/ost/json-object.ts";
import { layout } from "../../src/ost/layout.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import type { Store } from "../../src/ost/store.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { meetServer } from "../../src/redis/meet.ts";
import { endedRun } from "../archive/ended-run.ts";
import { startRedis } from "../support/redis.ts";

const minuteMs = 60_000;

async function world(store: Store = createMemoryStore()) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = createRedis(server.url, "commands");
  onTestFinished(() => redis.disconnect());
  return { redis, keys: createKeys("{test}"), store, shards: 16, log: pino({ level: "silent" }) };
}

const claimOf = (store: Store) => readJson(store, layout.installation, Claim);

/** An installation that runs: founded, met, and renewed at `now`. */
async function founded(now: number, store?: Store) {
  const claiming = await world(store);
  const id = await claimInstallation({ ...claiming, now: () => now });
  await meetServer(claiming.redis, claiming.keys);
  await renewClaim({ ...claiming, now: () => now });
  return { ...claiming, id };
}

describe("claiming an installation", () => {
  it("founds a new one in ost first, then in Redis, the same for all who start at once", async () => {
    const claiming = await world();
    const ids = await Promise.all(Array.from({ length: 5 }, () => claimInstallation(claiming)));
    expect(new Set(ids).size).toBe(1);
    expect((await claimOf(claiming.store))?.id).toBe(ids[0]);
    expect(await claiming.redis.hgetall(claiming.keys.meta)).toMatchObject({ installation: ids[0], shards: "16" });
    expect(await claimInstallation(claiming)).toBe(ids[0]);
  });

  it("refuses a Redis and an ost that belong to different installations", async () => {
    const [one, other] = [await founded(0), await founded(0)];
    await expect(claimInstallation({ ...one, store: other.store })).rejects.toThrow(
      `Redis belongs to the installation ${one.id}, but the object storage to ${other.id}`,
    );
    await expect(claimInstallation({ ...one, store: createMemoryStore() })).rejects.toThrow("the object storage is empty");
    expect(await claimInstallation({ ...one, store: createMemoryStore(), adopt: one.id })).toBe(one.id);
  });

  it("refuses an empty Redis at the storage of an installation that lives, for five minutes or unless told to adopt it", async () => {
    const old = await founded(1_000);
    const empty = await world(old.store);
    await expect(claimInstallation({ ...empty, now: () => 1_000 + 4 * minuteMs })).rejects.toThrow(
      `belongs to the installation ${old.id}, whose own Redis was alive 240 s ago`,
    );
    await expect(claimInstallation({ ...empty, now: () => 1_000, adopt: "another" })).rejects.toThrow("--adopt");
    expect(await empty.redis.exists(empty.keys.meta)).toBe(0);
    expect(await claimInstallation({ ...empty, now: () => 1_000 + 5 * minuteMs + 1 })).toBe(old.id);
    const another = await world(old.store);
    expect(await claimInstallation({ ...another, now: () => 1_000, adopt: old.id })).toBe(old.id);
  });

  it("goes on where a first start crashed between ost and Redis", async () => {
    const crashed = await world();
    await crashed.store.put(layout.installation, jsonBytes({ version: 1, id: "half", history: null, renewedAt: new Date().toISOString() }));
    expect(await claimInstallation(crashed)).toBe("half");
  });

  it("restores numbers and maintenance into a wiped Redis before the installation exists there", async () => {
    const old = await founded(0);
    for (const number of [3, 7, 5]) await writeDefinition(old.store, endedRun({ tasks: {}, number }).stored);
    await old.store.put(layout.setting("maintenance"), jsonBytes({ version: 1, on: true }));
    const wiped = await world(old.store);
    const seen: (string | null)[] = [];
    const store: Store = {
      ...old.store,
      list: async (query) => {
        seen.push(await wiped.redis.hget(wiped.keys.meta, "installation"));
        return old.store.list(query);
      },
    };
    await claimInstallation({ ...wiped, store, adopt: old.id });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((installation) => installation === null)).toBe(true);
    expect(await wiped.redis.get(wiped.keys.runNumber("/project/web"))).toBe("7");
    expect(await wiped.redis.hget(wiped.keys.meta, "maintenance")).toBe("1");
  });

  it("never turns a number back", async () => {
    const old = await founded(0);
    await writeDefinition(old.store, endedRun({ tasks: {}, number: 3 }).stored);
    const wiped = await world(old.store);
    await wiped.redis.set(wiped.keys.runNumber("/project/web"), 9);
    await claimInstallation({ ...wiped, adopt: old.id });
    expect(await wiped.redis.get(wiped.keys.runNumber("/project/web"))).toBe("9");
  });
});

describe("renewing a claim", () => {
  it("says when, and under which history", async () => {
    const live = await founded(5_000);
    expect(await claimOf(live.store)).toEqual({
      version: 1,
      id: live.id,
      history: await live.redis.hget(live.keys.meta, "history"),
      renewedAt: new Date(5_000).toISOString(),
    });
  });

  it("notices another Redis that renews the same claim, but not its own change of history", async () => {
    const live = await founded(0);
    expect(await renewClaim(live)).toBe("renewed");
    await live.redis.hset(live.keys.meta, "history", "after a restart");
    expect(await renewClaim(live)).toBe("renewed");
    const copy = await world(live.store);
    await copy.redis.hset(copy.keys.meta, await live.redis.hgetall(live.keys.meta));
    await copy.redis.hset(copy.keys.meta, "history", "of the copy");
    expect(await renewClaim(copy)).toBe("renewed");
    expect(await renewClaim(live)).toBe("contested");
    expect(await renewClaim(copy)).toBe("contested");
    expect(await renewClaim(copy)).toBe("renewed");
  });

  it("notices that the storage belongs to somebody else by now, and leaves it alone", async () => {
    const [one, other] = [await founded(0), await founded(0)];
    expect(await renewClaim({ ...one, store: other.store })).toBe("foreign");
    expect((await claimOf(other.store))?.id).toBe(other.id);
  });
});
