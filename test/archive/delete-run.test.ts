import { describe, expect, it } from "vitest";
import { archiveRun } from "../../src/archive/archive-run.ts";
import { writeDefinition } from "../../src/archive/definition-object.ts";
import { deleteArchivedRun } from "../../src/archive/delete-archived.ts";
import { deleteRun } from "../../src/archive/delete-run.ts";
import { findRun } from "../../src/archive/find-run.ts";
import { markUses } from "../../src/archive/uses.ts";
import { layout } from "../../src/ost/layout.ts";
import { restoreNumbers } from "../../src/ost/restore-numbers.ts";
import type { Store } from "../../src/ost/store.ts";
import type { Run } from "../../src/runs/run.ts";
import { archiveWorld } from "./archive-world.ts";
import { endedRun, finishedAt, forgetRun, placeRun, success } from "./ended-run.ts";

type World = Awaited<ReturnType<typeof archiveWorld>>;

/** An archived run of two tasks with logs, workspaces and artifacts. */
async function archivedRun(
  world: World,
  options: Parameters<typeof endedRun>[0] = { tasks: { build: [success], test: [success] } },
): Promise<Run> {
  const run = endedRun(options);
  await placeRun(world.redis, world.keys, run);
  for (const task of Object.keys(options.tasks)) {
    const place = { runId: run.facts.id, task, attempt: 1, step: "0" };
    for (const key of [layout.log(place), layout.workspace(place), layout.artifact(place, "report")])
      await world.store.put(key, Buffer.from(key));
  }
  await archiveRun(world.outlets, run, finishedAt);
  await forgetRun(world.redis, world.keys, run);
  return run;
}

const restartOf = (run: Run, task: string) => ({
  of: run.facts.id,
  fromFailed: true,
  kept: { [task]: { runId: run.facts.id, attempt: 1, finishedAt } },
});

async function keysOf(store: Store, run: Run) {
  const { objects } = await store.list({ prefix: "" });
  return objects.map(({ key }) => key).filter((key) => key.includes(run.facts.id) && !key.includes("/used-by/"));
}

describe("deleting a run", () => {
  it("removes everything but the mark, and its number stays taken", async () => {
    const world = await archiveWorld();
    const run = await archivedRun(world, { tasks: { build: [success] }, number: 12 });
    const event = await deleteArchivedRun({ ...world, now: () => finishedAt }, run.facts.id);
    expect(event).toMatch(/^\d+-\d+$/);
    expect(await keysOf(world.store, run)).toEqual([layout.runDeleted(run.facts.id)]);
    expect(await findRun(world, run.facts.id)).toBeUndefined();
    expect(await restoreNumbers(world.store)).toEqual(new Map([["/project/web", 12]]));
    const [, fields] = (await world.redis.xrange(world.keys.indexRows, "-", "+"))[0] ?? [];
    expect(JSON.parse(fields?.[1] ?? "")).toMatchObject([{ runId: run.facts.id, deleted: true }]);
    expect(await deleteArchivedRun({ ...world, now: () => finishedAt }, run.facts.id)).toBeUndefined();
  });

  it("spares what a restart keeps in use, until that is deleted too", async () => {
    const world = await archiveWorld();
    const run = await archivedRun(world);
    const restart = await archivedRun(world, { tasks: { build: [], test: [success] }, number: 2, restart: restartOf(run, "build") });
    await deleteRun(world.store, { runId: run.facts.id, now: finishedAt });
    const place = { runId: run.facts.id, task: "build", attempt: 1, step: "0" };
    const kept = [layout.artifact(place, "report"), layout.log(place), layout.runDeleted(run.facts.id), layout.workspace(place)];
    expect((await keysOf(world.store, run)).sort()).toEqual(kept.sort());
    await deleteRun(world.store, { runId: restart.facts.id, now: finishedAt });
    expect(await keysOf(world.store, run)).toEqual([layout.runDeleted(run.facts.id)]);
    expect(await keysOf(world.store, restart)).toEqual([layout.runDeleted(restart.facts.id)]);
  });

  it("spares what a restart keeps that was created a moment ago", async () => {
    const world = await archiveWorld();
    const run = await archivedRun(world);
    const restart = endedRun({ tasks: { build: [], test: [] }, restart: restartOf(run, "test") });
    await markUses(world.store, restart.stored);
    await deleteRun(world.store, { runId: run.facts.id, now: finishedAt });
    await writeDefinition(world.store, restart.stored);
    expect(await world.store.stat(layout.workspace({ runId: run.facts.id, task: "test", attempt: 1, step: "0" }))).toBeDefined();
  });

  it("is finished by a repetition, wherever it was interrupted, and the run is gone from the mark on", async () => {
    const world = await archiveWorld();
    const original = await archivedRun(world);
    const run = await archivedRun(world, { tasks: { build: [], test: [success] }, number: 2, restart: restartOf(original, "build") });
    await deleteRun(world.store, { runId: original.facts.id, now: finishedAt });
    let isDone = false;
    for (let deletions = 0; !isDone; deletions++) {
      let left = deletions;
      const dying: Store = {
        ...world.store,
        delete: async (keys) => {
          if (left-- === 0) throw new Error("killed");
          await world.store.delete(keys);
        },
      };
      isDone = await deleteRun(dying, { runId: run.facts.id, now: finishedAt }).then(
        () => true,
        () => false,
      );
      expect(await findRun(world, run.facts.id)).toBeUndefined();
    }
    expect(await keysOf(world.store, run)).toEqual([layout.runDeleted(run.facts.id)]);
    expect(await keysOf(world.store, original)).toEqual([layout.runDeleted(original.facts.id)]);
  });

  it("wins over archiving at the same time", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success] } });
    await placeRun(world.redis, world.keys, run);
    await Promise.all([
      archiveRun(world.outlets, run, finishedAt),
      deleteRun(world.store, { runId: run.facts.id, known: run.stored, now: finishedAt }),
    ]);
    expect(await keysOf(world.store, run)).toEqual([layout.runDeleted(run.facts.id)]);
  });

  it("is done by the worker for a run that Redis still knows, which is then told", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success] }, head: { deletion: { at: finishedAt, by: "local" } } });
    await placeRun(world.redis, world.keys, run);
    await writeDefinition(world.store, run.stored);
    await world.startWorker();
    expect(await world.work("delete-runs", [run.facts.id])).toBe(true);
    expect(await world.mail()).toEqual([[`run/${run.facts.id}`, { type: "deleted" }]]);
    expect(await keysOf(world.store, run)).toEqual([layout.runDeleted(run.facts.id)]);
    expect(await findRun(world, run.facts.id)).toBeUndefined();
  });
});

describe("finding a run", () => {
  it("says that a run was lost of which Redis has forgotten everything before it was archived", async () => {
    const world = await archiveWorld();
    const run = endedRun({ tasks: { build: [success], test: [] }, number: 5 });
    await writeDefinition(world.store, run.stored);
    const found = await findRun(world, run.facts.id);
    expect(found?.source).toBe("lost");
    expect(found?.view).toMatchObject({
      number: 5,
      phase: "finished",
      result: "failed",
      reason: "state_lost",
      canRestartFromScratch: true,
    });
    expect(Object.values(found?.view.tasks ?? {}).map(({ status }) => status)).toEqual(["skipped", "skipped"]);
  });

  it("knows nothing of a run that never was", async () => {
    const world = await archiveWorld();
    expect(await findRun(world, endedRun({ tasks: {} }).facts.id)).toBeUndefined();
  });
});
