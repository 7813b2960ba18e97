import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { finishLeftoverLogs } from "../../src/executors/leftover-logs.ts";
import { createMasking } from "../../src/executors/masking.ts";
import { openStepLog } from "../../src/executors/step-log.ts";
import { layout } from "../../src/ost/layout.ts";
import { openLog } from "../../src/ost/log-object.ts";
import { listSegments } from "../../src/ost/log-segments.ts";
import { readTail } from "../../src/ost/log-tail.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import type { Store } from "../../src/ost/store.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { readLogText } from "./harness.ts";

const keys = createKeys("{test}");
const log = pino({ level: "silent" });

describe("the log of a step", () => {
  let server: TestRedis;
  let redis: RedisConnection;
  let folder: string;
  let store: Store;
  let serial = 0;
  beforeAll(async () => {
    server = await startRedis();
    redis = createRedis(server.url, "commands");
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostler-logs-"));
    store = createMemoryStore();
    serial += 1;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const place = () => ({ assignment: `a${serial}`, runId: "r", task: "t", attempt: 1, step: "0" });
  const open = (changes: { readonly resumed?: boolean; readonly store?: Store; readonly spoolPath?: string } = {}) =>
    openStepLog({
      outlets: { store: changes.store ?? store, redis, keys },
      place: place(),
      spoolPath: changes.spoolPath ?? join(folder, "log"),
      resumed: changes.resumed ?? false,
      masker: createMasking(["hunter2"]).createMasker(),
      now: () => 1_700_000_000_000 + serial,
      log,
    });
  const text = () => readLogText(store, place());
  const tail = async () => Buffer.concat((await readTail(redis, keys, place(), 0)).chunks.map(({ bytes }) => bytes)).toString();

  it("can be followed before it ends", async () => {
    const step = await open();
    await step.write(Buffer.from("the password is hunter2\n"));
    await until("the tail has it", async () => (await tail()) === "the password is ***\n");
    await step.write(Buffer.from("more\n"));
    await until("the tail has more", async () => (await tail()).endsWith("more\n"));
    expect(await step.finish()).toEqual({ size: 25, complete: true });
    expect(await text()).toBe("the password is ***\nmore\n");
    expect((await readTail(redis, keys, place(), 25)).end).toMatchObject({ size: 25, complete: true });
  });

  it("leaves nothing on the executor's disk once it is stored", async () => {
    const step = await open();
    await step.write(Buffer.from("x"));
    await step.finish();
    expect(await readdir(folder)).toEqual([]);
  });

  it("ships what is too much for the tail as segments, and no byte twice or never", async () => {
    const step = await open();
    const line = `${"0123456789".repeat(10)}\n`;
    await step.write(Buffer.from(line.repeat(3_000)));
    await until("a segment is there", async () => (await listSegments(store, place())).length > 0);
    await step.write(Buffer.from(line.repeat(10)));
    await until("the tail has the newest", async () => ((await readTail(redis, keys, place(), 0)).chunks.at(-1)?.offset ?? 0) >= 303_000);
    const segments = await listSegments(store, place());
    expect(segments[0]?.from).toBe(0);
    const held = (await readTail(redis, keys, place(), 0)).chunks;
    expect(held[0]?.offset).toBeLessThanOrEqual(segments.at(-1)?.to ?? 0);
    expect(Buffer.concat(held.map(({ bytes }) => bytes)).length).toBeLessThan(100 * 1024);
    await step.finish();
    expect(await text()).toBe(line.repeat(3_010));
    expect(await listSegments(store, place())).toEqual([]);
  });

  it("goes on where a predecessor ended, given the same output from its begin", async () => {
    const first = await open();
    await first.write(Buffer.from("one hunt"));
    await first.abandon();
    const second = await open({ resumed: true });
    for (const piece of ["on", "e hunter", "2 two\n"]) await second.write(Buffer.from(piece));
    await second.finish();
    expect(await text()).toBe("one *** two\n");
  });

  it("keeps the times at which lines came", async () => {
    const step = await open();
    await step.write(Buffer.from("one\n"));
    await step.finish();
    const object = await openLog(store, layout.log(place()));
    const times: number[] = [];
    for await (const chunk of object?.chunks({ from: 0 }, { times: true }) ?? []) if (chunk.type === "bytes") times.push(chunk.at);
    expect(times).toEqual([1_700_000_000_000 + serial]);
  });

  it("says at its end that the rest was lost when it could not be spooled", async () => {
    const step = await open({ spoolPath: join(folder, "missing", "log") });
    await step.write(Buffer.from("nobody keeps this"));
    expect(await step.finish()).toEqual({ size: 0, complete: false });
    expect(await text()).toBe("<lost: disk_full>");
  });

  it("is stored once object storage is back", async () => {
    let failures = 2;
    const flaky: Store = {
      ...store,
      put: async (...args) => {
        failures -= 1;
        if (failures >= 0) throw new Error("object storage is away");
        return store.put(...args);
      },
    };
    const step = await open({ store: flaky });
    await step.write(Buffer.from("patience\n"));
    expect(await step.finish()).toEqual({ size: 9, complete: true });
    expect(await text()).toBe("patience\n");
  });

  it("of a process that died is stored by the next one, with what is missing", async () => {
    const step = await open();
    await step.write(Buffer.from("so far\n"));
    await step.abandon();
    const outlets = { store, redis, keys };
    await finishLeftoverLogs({ folder, outlets, isBusy: () => true, log });
    expect(await text()).toBe("");
    await finishLeftoverLogs({ folder, outlets, isBusy: () => false, log });
    expect(await text()).toBe("so far\n<lost: executor_lost>");
    expect(await readdir(folder)).toEqual([]);
  });
});
