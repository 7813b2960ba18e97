import { describe, expect, it } from "vitest";
import { archiveRun } from "../../src/archive/archive-run.ts";
import { readArchivedDefinition } from "../../src/archive/definition-object.ts";
import { readArchivedEvents } from "../../src/archive/events-object.ts";
import { findRun } from "../../src/archive/find-run.ts";
import { readArchivedRun } from "../../src/archive/run-object.ts";
import { layout } from "../../src/ost/layout.ts";
import { openLog } from "../../src/ost/log-object.ts";
import { writeSegment } from "../../src/ost/log-segments.ts";
import { appendTail } from "../../src/ost/log-tail.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import type { Store } from "../../src/ost/store.ts";
import { presentRun } from "../../src/runs/present.ts";
import { archiveWorld } from "./archive-world.ts";
import { endedRun, eventsOf, finishedAt, forgetRun, lost, placeRun, success } from "./ended-run.ts";

async function collect<Item>(items: AsyncIterable<Item> | undefined): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items ?? []) found.push(item);
  return found;
}

async function snapshot(store: Store) {
  const { objects } = await store.list({ prefix: "" });
  return Promise.all(objects.map(async ({ key }) => [key, Buffer.from((await store.get(key)) ?? []).toString("base64")]));
}

it("passes over the events that a reader has, without looking into them", async () => {
  const store = createMemoryStore();
  const event = (seq: number) => ({
    id: `r-${seq}`,
    runId: "r",
    seq,
    at: "2026-01-01T00:00:00.000Z",
    type: "run",
    phase: "running",
    result: "unknown",
  });
  const lines = [JSON.stringify({ version: 1, runId: "r" }), "not looked at", JSON.stringify(event(2)), JSON.stringify(event(3)), ""];
  await store.put(layout.runEvents("r"), Buffer.from(lines.join("\n")));
  expect((await collect(await readArchivedEvents(store, "r", 1))).map(({ seq }) => seq)).toEqual([2, 3]);
  expect(await collect(await readArchivedEvents(store, "r", 9))).toEqual([]);
});

describe("archiving a run", () => {
  it("writes definition, events and state, then tells the run", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success], test: [success] } });
    await placeRun(world.redis, world.keys, run);
    await world.startWorker();
    expect(await world.work("archive-runs", [run.facts.id])).toBe(true);

    expect(await world.mail()).toEqual([[`run/${run.facts.id}`, { type: "archived" }]]);
    expect(await readArchivedDefinition(world.store, run.facts.id)).toEqual(run.stored);
    expect(await collect(await readArchivedEvents(world.store, run.facts.id))).toEqual(eventsOf(run));
    expect((await readArchivedRun(world.store, run.facts.id))?.run).toMatchObject({ id: run.facts.id, phase: "finished", archived: true });
  });

  it("shows the run the same way before and after Redis has forgotten it", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success] } });
    await placeRun(world.redis, world.keys, run);
    const before = await findRun(world, run.facts.id);
    await archiveRun(world.outlets, run, finishedAt);
    await forgetRun(world.redis, world.keys, run);
    const after = await findRun(world, run.facts.id);
    expect(before?.source).toBe("live");
    expect(after?.source).toBe("archive");
    expect(after?.view).toEqual({ ...before?.view, archived: true });
    expect(after?.stored).toEqual(before?.stored);
  });

  it("writes the same whether a run has few tasks or many", async () => {
    const world = await archiveWorld();
    for (const count of [0, 499, 500, 501, 1_200]) {
      const run = endedRun({ tasks: Object.fromEntries(Array.from({ length: count }, (_, i) => [`task ${i}`, [success]])) });
      expect(await archiveRun(world.outlets, run, finishedAt)).toBe(true);
      expect(await archiveRun(world.outlets, run, finishedAt)).toBe(true);
      expect((await readArchivedRun(world.store, run.facts.id))?.run).toEqual({ ...presentRun(run), archived: true });
    }
    expect(world.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it("changes nothing when it is repeated, also by two workers at once", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success] } });
    await placeRun(world.redis, world.keys, run);
    await Promise.all([archiveRun(world.outlets, run, finishedAt), archiveRun(world.outlets, run, finishedAt)]);
    const first = await snapshot(world.store);
    await archiveRun(world.outlets, run, finishedAt + 1_000);
    expect(await snapshot(world.store)).toEqual(first);
    expect(world.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it("gives up nothing when it is killed after any of its writes", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [lost, success] } });
    await placeRun(world.redis, world.keys, run);
    const place = { runId: run.facts.id, task: "build", attempt: 1, step: "0", assignment: `${run.facts.id}-0-1-s` };
    await appendTail(world.redis, world.keys, { ...place, offset: 0, at: 5, bytes: Buffer.from("shipped\n"), segmentedTo: 0 });
    let completed = false;
    for (let writes = 0; !completed; writes++) {
      let left = writes;
      const dying: Store = {
        ...world.store,
        put: async (...put) => {
          if (left-- === 0) throw new Error("killed");
          return world.store.put(...put);
        },
        delete: async (keys) => {
          if (left-- === 0) throw new Error("killed");
          return world.store.delete(keys);
        },
      };
      completed = await archiveRun({ ...world.outlets, store: dying }, run, finishedAt).catch(() => false);
      if (await world.store.stat(layout.run(run.facts.id))) expect(await readArchivedEvents(world.store, run.facts.id)).toBeDefined();
    }
    const view = (await readArchivedRun(world.store, run.facts.id))?.run;
    expect(view?.tasks.build?.attempts[0]?.steps[0]?.log).toEqual({ size: 8, complete: false, deleted: false });
    expect((await openLog(world.store, layout.log(place)))?.index).toMatchObject({
      size: 8,
      gaps: [{ from: 8, to: null, why: "executor_lost" }],
    });
  });

  it("leaves a different archive as it is, with an alarm", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success] } });
    await placeRun(world.redis, world.keys, run);
    await archiveRun(world.outlets, run, finishedAt);
    const first = await snapshot(world.store);
    const other = { ...run, head: { ...run.head, result: "failed" as const } };
    expect(await archiveRun(world.outlets, other, finishedAt)).toBe(true);
    expect(await snapshot(world.store)).toEqual(first);
    expect(world.lines.filter(({ level }) => level >= 50)).toHaveLength(1);
  });

  it("archives the other runs of a job when one of them cannot be", async () => {
    const world = await archiveWorld();
    const [good, bad] = [endedRun({ tasks: { build: [success] } }), endedRun({ tasks: { build: [success] } })];
    for (const run of [good, bad]) await placeRun(world.redis, world.keys, run);
    await world.redis.hset(world.keys.state(3), `run/${bad.facts.id}`, "not a state");
    await world.startWorker();
    expect(await world.work("archive-runs", [bad.facts.id, good.facts.id])).toBe(false);
    expect(await world.mail()).toEqual([[`run/${good.facts.id}`, { type: "archived" }]]);
    expect(world.lines.filter(({ level }) => level >= 50)).toHaveLength(1);
  });

  it("does not touch a run that goes on, one that Redis does not know, or one that is being deleted", async () => {
    const world = await archiveWorld();
    const running = endedRun({ tasks: { build: [success] }, head: { phase: "running" } });
    const deleted = endedRun({ tasks: { build: [success] }, head: { deletion: { at: finishedAt, by: "local" } } });
    const unknown = endedRun({ tasks: {} });
    for (const run of [running, deleted]) await placeRun(world.redis, world.keys, run);
    await world.startWorker();
    expect(
      await world.work(
        "archive-runs",
        [running, deleted, unknown].map(({ facts }) => facts.id),
      ),
    ).toBe(true);
    expect(await world.mail()).toEqual([]);
    expect(await snapshot(world.store)).toEqual([]);
  });

  it("writes the definition of a run that has just been created", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [] }, number: 7, head: { phase: "queued" } });
    await placeRun(world.redis, world.keys, run);
    await world.startWorker();
    await world.work("write-definitions", [run.facts.id]);
    expect(await world.mail()).toEqual([[`run/${run.facts.id}`, { type: "definition-written" }]]);
    expect(await readArchivedDefinition(world.store, run.facts.id)).toMatchObject({ number: 7, runId: run.facts.id });
  });
});

describe("completing logs", () => {
  const place = (runId: string, step = "0") => ({ runId, task: "build", attempt: 1, step, assignment: `${runId}-0-1-s` });

  it("joins what a lost executor shipped, and says that the rest is lost", async () => {
    const world = await archiveWorld();
    const attempt = { ...lost, steps: [{ phase: "running", logSize: 30 } as const] };
    const run = endedRun({ tasks: { build: [attempt] } });
    await placeRun(world.redis, world.keys, run);
    const log = place(run.facts.id);
    await writeSegment(world.store, log, [{ type: "bytes", offset: 0, at: 1_000, bytes: Buffer.from("segment\n") }]);
    await appendTail(world.redis, world.keys, { ...log, offset: 8, at: 2_000, bytes: Buffer.from("tail\n"), segmentedTo: 8 });
    expect(await archiveRun(world.outlets, run, finishedAt)).toBe(true);
    const object = await openLog(world.store, layout.log(log));
    expect(await collect(object?.chunks({ from: 0 }, { times: true }))).toEqual([
      { type: "bytes", offset: 0, at: 1_000, bytes: Buffer.from("segment\n") },
      { type: "bytes", offset: 8, at: 2_000, bytes: Buffer.from("tail\n") },
      { type: "gap", from: 13, to: 30, why: "executor_lost" },
    ]);
    const steps = (await readArchivedRun(world.store, run.facts.id))?.run.tasks.build?.attempts[0]?.steps;
    expect(steps?.map((step) => step.log)).toEqual([
      { size: 30, complete: false, deleted: false },
      { size: 0, complete: false, deleted: false },
    ]);
    expect((await world.store.list({ prefix: layout.liveFolder(log) })).objects).toEqual([]);
  });

  it("waits ten minutes for a log that a living executor still has to store", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [{ ...success, steps: [{ phase: "success", logSize: 5, logComplete: false }] }] } });
    await placeRun(world.redis, world.keys, run);
    expect(await archiveRun(world.outlets, run, finishedAt + 599_999)).toBe(false);
    expect(await world.store.stat(layout.run(run.facts.id))).toBeUndefined();
    expect(await archiveRun(world.outlets, run, finishedAt + 600_000)).toBe(true);
    expect((await openLog(world.store, layout.log(place(run.facts.id))))?.index.gaps).toEqual([{ from: 0, to: 5, why: "not_uploaded" }]);
  });
});
