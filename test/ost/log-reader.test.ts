import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deleteLogsOfAttempt } from "../../src/archive/delete-logs.ts";
import { openDirectory } from "../../src/ost/directory.ts";
import type { LogOutlets } from "../../src/ost/finish-log.ts";
import { layout } from "../../src/ost/layout.ts";
import type { LogChunk } from "../../src/ost/log-chunk.ts";
import { createLogReader, type LogReader } from "../../src/ost/log-reader.ts";
import { listSegments } from "../../src/ost/log-segments.ts";
import type { LogItem } from "../../src/ost/log-subject.ts";
import { readTail } from "../../src/ost/log-tail.ts";
import { createTailWatch } from "../../src/ost/tail-watch.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { createLiveLog } from "./live-log.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let server: TestRedis;
let redis: ReturnType<typeof createRedis>;
let blocking: ReturnType<typeof createRedis>;
const keys = createKeys("{test}");

beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, "commands");
  blocking = createRedis(server.url, "blocking");
  await blocking.connect();
});

afterAll(async () => {
  redis.disconnect();
  blocking.disconnect();
  await server.stop();
});

let names = 0;

async function world() {
  const outlets: LogOutlets = { store: await openDirectory(await temporaryFolder(), { fsync: false }), redis, keys };
  const watch = createTailWatch(blocking, keys);
  names += 1;
  return { outlets, reader: createLogReader({ ...outlets, awaitTail: watch.awaitTail }), log: createLiveLog(outlets, `run${names}`) };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function bytesOf(items: readonly LogItem[]): Buffer {
  return Buffer.concat(items.flatMap((item) => (item.type === "bytes" ? [item.bytes] : [])));
}

type Action = { readonly do: "write"; readonly bytes: number } | { readonly do: "ship" | "segment" | "follow" };

const follow = (reader: LogReader, subject: Parameters<LogReader["follow"]>[0], from = 0) =>
  collect(reader.follow(subject, { from, signal: AbortSignal.timeout(20_000) }));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("a log's reader", () => {
  it("follows from any byte, from before the first to after the last, while tail becomes segments and segments the object", async () => {
    const action: fc.Arbitrary<Action> = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("write" as const), bytes: fc.integer({ min: 1, max: 40_000 }) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("ship" as const, "segment" as const, "follow" as const) }) },
    );
    const play = async (actions: readonly Action[], froms: readonly number[]) => {
      const { reader, log } = await world();
      const followers: { from: number; items: Promise<LogItem[]> }[] = [];
      const addFollower = () => {
        const from = froms[followers.length] ?? 0;
        followers.push({ from, items: follow(reader, log.subject, from) });
      };
      addFollower();
      log.begin();
      let letter = 0;
      for (const step of actions) {
        if (step.do === "write") log.write(Buffer.alloc(step.bytes, 97 + (letter++ % 26)), letter);
        if (step.do === "ship") await log.ship();
        if (step.do === "segment") await log.segment();
        if (step.do === "follow") addFollower();
      }
      await log.finish();
      addFollower();
      const text = log.text();
      for (const { from, items } of followers) {
        const found = await items;
        expect(bytesOf(found).equals(text.subarray(from))).toBe(true);
        expect(found.filter((item) => item.type === "gap")).toEqual([]);
        expect(found.at(-1)).toEqual({ type: "end", size: text.length, sha256: text.length > 0 ? sha256(text) : null, complete: true });
      }
    };
    const scenario = fc.tuple(fc.array(action, { maxLength: 12 }), fc.array(fc.nat(120_000), { minLength: 3, maxLength: 12 }));
    await fc.assert(
      // Side by side, since most of a follower's time is waiting.
      fc.asyncProperty(fc.array(scenario, { minLength: 8, maxLength: 8 }), async (scenarios) => {
        await Promise.all(scenarios.map(([actions, froms]) => play(actions, froms)));
      }),
      { numRuns: 4 },
    );
  });

  it("hands on each piece once, in order, while a log is shipped", async () => {
    const { reader, log } = await world();
    log.begin();
    const items = reader.follow(log.subject, { from: 0, signal: AbortSignal.timeout(20_000) });
    for (const line of ["one\n", "two\n", "three\n"]) {
      log.write(Buffer.from(line), 1);
      await log.ship();
      const { value } = await items.next();
      expect(value).toMatchObject({ type: "bytes", offset: log.text().length - line.length });
      expect(Buffer.from(value?.type === "bytes" ? value.bytes : []).toString()).toBe(line);
    }
    await log.finish();
    expect((await items.next()).value).toMatchObject({ type: "end", size: 14 });
    expect((await items.next()).done).toBe(true);
  });

  it("reads what is there of a live log at any range, and where its last lines begin", async () => {
    const { reader, log, outlets } = await world();
    log.begin();
    for (let i = 0; i < 400; i++) {
      log.write(Buffer.from(`line ${i} ${"x".repeat(i)}\n`), i);
      if (i % 40 === 39) await log.segment();
      await log.ship();
    }
    const text = log.text();
    expect((await readTail(redis, keys, log.place, 0)).chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)).toBeLessThan(
      text.length,
    );
    for (const [from, to] of [
      [0, 10],
      [0, text.length],
      [5_000, 30_000],
      [text.length - 5, text.length + 5],
      [text.length, text.length + 5],
    ] as const) {
      const chunks = await collect<LogChunk>(reader.read(log.subject, { from, to }));
      expect(bytesOf(chunks).equals(text.subarray(from, to))).toBe(true);
    }
    for (const segment of await listSegments(outlets.store, log.place)) {
      for (const from of [segment.to - 1, segment.to, segment.from]) {
        const chunks = await collect<LogChunk>(reader.read(log.subject, { from, to: from + 2 }));
        expect(bytesOf(chunks).equals(text.subarray(from, from + 2))).toBe(true);
      }
    }
    for (const lines of [1, 2, 39, 200, 400, 1_000]) {
      const expected = text
        .toString()
        .split("\n")
        .slice(0, -1)
        .slice(-lines)
        .map((line) => `${line}\n`)
        .join("");
      expect(text.subarray(await reader.tailStart(log.subject, lines)).toString()).toBe(expected);
    }
    expect(await reader.size(log.subject)).toEqual({ size: text.length, end: undefined });
    const times = await collect<LogChunk>(reader.read(log.subject, { from: 0, times: true }));
    expect(times.filter((chunk) => chunk.type === "bytes").map((chunk) => chunk.at)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    await log.finish();
    expect(await listSegments(outlets.store, log.place)).toEqual([]);
    expect(bytesOf(await collect<LogChunk>(reader.read(log.subject, { from: 7, to: 9_000 }))).equals(text.subarray(7, 9_000))).toBe(true);
    expect(await reader.size(log.subject)).toEqual({ size: text.length, end: { size: text.length, sha256: sha256(text), complete: true } });
  });

  it("shows what a lost executor shipped, then that the rest is lost, and ends", async () => {
    const { reader, log } = await world();
    log.begin();
    log.write(Buffer.from("in a segment\n"), 1);
    await log.segment();
    log.write(Buffer.from("in the tail\n"), 2);
    await log.ship();
    log.write(Buffer.from("never shipped\n"), 3);
    const following = follow(reader, log.subject);
    log.lose();
    const items = await following;
    expect(bytesOf(items).toString()).toBe("in a segment\nin the tail\n");
    expect(items.slice(-2)).toEqual([
      { type: "gap", from: 25, to: null, why: "executor_lost" },
      { type: "end", size: 25, sha256: null, complete: false },
    ]);
  });

  it("waits for a log that has not begun, and ends at once for one that stayed empty", async () => {
    const { reader, log } = await world();
    expect(await collect(reader.read(log.subject, { from: 0 }))).toEqual([]);
    const following = follow(reader, log.subject);
    log.begin();
    await log.finish();
    expect(await following).toEqual([{ type: "end", size: 0, sha256: null, complete: true }]);
    expect(await follow(reader, log.subject, 500)).toEqual([{ type: "end", size: 0, sha256: null, complete: true }]);
  });

  it("says that a log was deleted, also while it is followed", async () => {
    const { reader, log, outlets } = await world();
    log.begin();
    log.write(Buffer.from("secret\n"), 1);
    await log.finish();
    await deleteLogsOfAttempt(outlets.store, log.place);
    expect(await outlets.store.get(layout.log(log.place))).toBeUndefined();
    await expect(collect(reader.read(log.subject, { from: 0 }))).rejects.toMatchObject({ code: "log_deleted" });
    await expect(follow(reader, log.subject)).rejects.toMatchObject({ code: "log_deleted" });
  });

  it("ends a follower that is no longer wanted, whatever it waits for", async () => {
    const { reader, log } = await world();
    for (const begin of [() => {}, log.begin, log.lose]) {
      begin();
      const abort = new AbortController();
      const following = collect(
        reader.follow(
          { ...log.subject, state: async () => ({ ...(await log.subject.state()), lost: false }) },
          { from: 0, signal: abort.signal },
        ),
      );
      abort.abort(new Error("gone"));
      await expect(following).rejects.toThrow();
    }
  });

  it("lets go of one who is no longer wanted at once, and keeps the others waiting", async () => {
    const watch = createTailWatch(blocking, keys);
    const ended: string[] = [];
    const abort = new AbortController();
    const place = { assignment: "silent", step: "0" };
    const others = watch.awaitTail(place, 0, AbortSignal.timeout(20_000)).then(() => ended.push("waited"));
    const aborted = watch.awaitTail(place, 0, abort.signal).catch(() => ended.push("aborted"));
    abort.abort();
    await Promise.all([others, aborted]);
    expect(ended).toEqual(["aborted", "waited"]);
    await watch.close();
  });
});
