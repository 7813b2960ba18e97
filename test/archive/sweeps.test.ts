import { describe, expect, it } from "vitest";
import { archiveRun } from "../../src/archive/archive-run.ts";
import { rescueTails } from "../../src/archive/rescue-tails.ts";
import { trimEvents, trimRows } from "../../src/archive/trim-streams.ts";
import { appendTail } from "../../src/ost/log-tail.ts";
import { shippedChunks } from "../../src/ost/shipped-log.ts";
import { dropTail } from "../../src/redis/scripts/drop-tail.ts";
import { until } from "../support/until.ts";
import { archiveWorld } from "./archive-world.ts";
import { endedRun, finishedAt, forgetRun, lost, placeRun, success } from "./ended-run.ts";

const hourMs = 3_600_000;
const laterMs = 11 * 60_000;

describe("sweeping", () => {
  it("deletes rows of archived and deleted runs once all readers have seen them, and keeps those of runs that go on", async () => {
    const world = await archiveWorld();
    const [archived, live, mixed] = [1, 2, 3].map(() => endedRun({ tasks: { build: [success] } }));
    if (!archived || !live || !mixed) throw new Error("three runs");
    for (const run of [archived, live, mixed]) await placeRun(world.redis, world.keys, run);
    await archiveRun(world.outlets, archived, finishedAt);
    await forgetRun(world.redis, world.keys, archived);
    const rows = [[live], [archived], [mixed, archived], [archived]];
    for (const runs of rows)
      await world.redis.xadd(world.keys.indexRows, "*", "r", JSON.stringify(runs.map(({ facts }) => ({ runId: facts.id }))));
    const now = Date.now();
    expect(await trimRows(world, now)).toBe(0);
    expect(await trimRows(world, now + laterMs)).toBe(2);
    const left = (await world.redis.xrange(world.keys.indexRows, "-", "+")).map(([, fields]) => JSON.parse(fields[1] ?? "")[0].runId);
    expect(left).toEqual([live.facts.id, mixed.facts.id]);
  });

  it("keeps rows of a run that Redis has forgotten but ost does not have", async () => {
    const world = await archiveWorld();
    await world.redis.xadd(world.keys.indexRows, "*", "r", JSON.stringify([{ runId: endedRun({ tasks: {} }).facts.id }]));
    expect(await trimRows(world, Date.now() + laterMs)).toBe(0);
  });

  it("forgets events after an hour", async () => {
    const world = await archiveWorld();
    const now = Date.now();
    const pipeline = world.redis.pipeline();
    for (let i = 0; i < 300; i++) pipeline.xadd(world.keys.events, `${now - 2 * hourMs + i}-1`, "e", "[]");
    for (let i = 0; i < 300; i++) pipeline.xadd(world.keys.events, `${now - hourMs / 2 + i}-1`, "e", "[]");
    await pipeline.exec();
    expect(await trimEvents(world, now)).toBeGreaterThan(0);
    const left = await world.redis.xlen(world.keys.events);
    expect(left).toBeGreaterThanOrEqual(300);
    expect(left).toBeLessThan(500);
  });

  it("moves idle tails into segments, without losing or doubling a byte, and leaves tails that grow", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [lost] }, head: { phase: "running" } });
    await placeRun(world.redis, world.keys, run);
    const place = { runId: run.facts.id, task: "build", attempt: 1, step: "0", assignment: `${run.facts.id}-0-1-s` };
    const append = (offset: number, text: string) =>
      appendTail(world.redis, world.keys, { ...place, offset, at: 1, bytes: Buffer.from(text), segmentedTo: 0 });
    const text = async () => {
      let found = "";
      for await (const chunk of shippedChunks(world.outlets, place))
        found += chunk.type === "bytes" ? Buffer.from(chunk.bytes).toString() : "<gap>";
      return found;
    };
    await append(0, "one ");
    await append(4, "two ");
    expect(await rescueTails(world.outlets, Date.now())).toBe(0);
    expect(await rescueTails(world.outlets, Date.now() + 2 * hourMs)).toBe(1);
    expect(await world.redis.exists(world.keys.log(place.assignment, place.step))).toBe(0);
    expect(await text()).toBe("one two ");
    await append(8, "three");
    expect(await text()).toBe("one two three");
    expect(await rescueTails(world.outlets, Date.now() + 2 * hourMs)).toBe(1);
    expect(await text()).toBe("one two three");
    expect(await world.redis.zcard(world.keys.logTails)).toBe(0);
  });

  it("does not drop a tail that has grown since its bytes were moved", async () => {
    const { redis, keys } = await archiveWorld();
    const place = { assignment: "a", step: "0" };
    await appendTail(redis, keys, { ...place, offset: 0, at: 1, bytes: Buffer.from("one"), segmentedTo: 0 });
    await appendTail(redis, keys, { ...place, offset: 3, at: 1, bytes: Buffer.from("two"), segmentedTo: 0 });
    expect(await dropTail(redis, keys, { ...place, lastId: "3-0" })).toBe(false);
    expect(await dropTail(redis, keys, { ...place, lastId: "6-0" })).toBe(true);
  });

  it("goes on by itself while a scheduler runs, and renews the installation's claim", async () => {
    const world = await archiveWorld();
    await world.redis.hset(world.keys.meta, "installation", "i1", "history", "h1");
    await world.startWorker();
    await until("the claim was renewed", async () => (await world.store.get("installation.json")) !== undefined);
    expect(JSON.parse(Buffer.from((await world.store.get("installation.json")) ?? []).toString())).toMatchObject({
      id: "i1",
      history: "h1",
    });
  });
});
