import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { layout } from "../../src/ost/layout.ts";
import type { Store } from "../../src/ost/store.ts";
import { parseDefinition } from "../../src/runs/parse-definition.ts";
import type { StoredDefinition } from "../../src/runs/stored-definition.ts";
import { until } from "../support/until.ts";
import { indexWorld } from "./index-world.ts";
import { row } from "./rows.ts";

const complete = (index: { readonly complete: () => boolean }) => until("the index is complete", index.complete);

/** A store that counts what is asked of it, and lists nothing while it is held. */
function watched(store: Store) {
  const gate = Promise.withResolvers<void>();
  const counts = { list: 0, get: 0 };
  const watching: Store = {
    ...store,
    get: (key, range) => {
      counts.get += 1;
      return store.get(key, range);
    },
    list: async (query) => {
      counts.list += 1;
      await gate.promise;
      return store.list(query);
    },
  };
  return { store: watching, counts, release: gate.resolve };
}

describe("the index of a process", () => {
  it("holds what is in object storage and what the stream says, and follows the stream", async () => {
    const world = await indexWorld();
    const [old, recent, next] = [row({ at: 1_000 }), row({ at: 2_000, phase: "running", result: "unknown" }), row({ at: 3_000 })];
    await world.archive(old);
    await world.append(recent);
    const { index, ids } = await world.open();
    await complete(index);
    await expect.poll(ids).toEqual([old.runId, recent.runId]);
    await world.append(next);
    await expect.poll(ids).toEqual([old.runId, recent.runId, next.runId]);
  });

  it("answers with what the stream says while object storage is still being read, and says that it is partial", async () => {
    const world = await indexWorld();
    const [old, recent] = [row({ at: 1_000 }), row({ at: 2_000 })];
    await world.archive(old);
    await world.append(recent);
    const { store, release } = watched(world.store);
    const { index, ids } = await world.open(store);
    await expect.poll(ids).toEqual([recent.runId]);
    expect(index.complete()).toBe(false);
    release();
    await complete(index);
    expect(await ids()).toEqual([old.runId, recent.runId]);
  });

  it("goes on where it was closed, without reading object storage again", async () => {
    const world = await indexWorld();
    const [before, meanwhile] = [row({ at: 1_000 }), row({ at: 2_000 })];
    await world.append(before);
    const first = await world.open();
    await complete(first.index);
    await expect.poll(first.ids).toEqual([before.runId]);
    await first.close();
    await world.append(meanwhile);
    const { store, counts } = watched(world.store);
    const second = await world.open(store);
    await expect.poll(second.ids).toEqual([before.runId, meanwhile.runId]);
    expect(second.index.complete()).toBe(true);
    expect(counts.list).toBe(0);
  });

  it("reads object storage for rows that were trimmed while it was closed, but no run twice", async () => {
    const world = await indexWorld();
    const [before, missed, last] = [row({ at: 1_000 }), row({ at: 2_000 }), row({ at: 3_000 })];
    await world.append(before);
    const first = await world.open();
    await complete(first.index);
    await expect.poll(first.ids).toEqual([before.runId]);
    await first.close();
    await world.append(missed, last);
    await world.archive(before);
    await world.archive(missed);
    await world.redis.xtrim(world.keys.indexRows, "MAXLEN", "1");
    const { store, counts, release } = watched(world.store);
    release();
    const second = await world.open(store);
    await complete(second.index);
    await expect.poll(second.ids).toEqual([before.runId, missed.runId, last.runId]);
    expect(counts.get).toBe(1);
  });

  it("begins anew when Redis has started another history", async () => {
    const world = await indexWorld();
    const [rolledBack, stays] = [row({ at: 1_000 }), row({ at: 2_000 })];
    await world.append(rolledBack);
    await world.archive(stays);
    const first = await world.open();
    await complete(first.index);
    await expect.poll(first.ids).toContain(rolledBack.runId);
    // What a Redis has lost that comes back without its last second, under a new history id.
    await world.redis.del(world.keys.indexRows);
    await world.redis.hset(world.keys.meta, "history", "another");
    await first.close();
    const second = await world.open();
    await complete(second.index);
    expect(await second.ids()).toEqual([stays.runId]);
  });

  it("notices another history while it runs, when its connection comes back", async () => {
    const world = await indexWorld();
    const [rolledBack, stays] = [row({ at: 1_000 }), row({ at: 2_000 })];
    await world.append(rolledBack);
    await world.archive(stays);
    const { index, ids } = await world.open();
    await complete(index);
    await expect.poll(ids).toContain(rolledBack.runId);
    world.server.kill("SIGKILL");
    await world.server.restart();
    // Without an append-only file nothing is left of it: founded anew, it is another history.
    await world.redis.hset(world.keys.meta, { installation: "i", shards: "4", protocol: "1" });
    await expect.poll(ids, { timeout: 10_000 }).toEqual([stays.runId]);
  });

  it("skips a row that cannot be read, and an archive that is damaged", async () => {
    const world = await indexWorld();
    const [archived, streamed] = [row({ at: 1_000 }), row({ at: 2_000 })];
    await world.append("not json", '[{"runId":1}]', streamed);
    await world.store.put(layout.run(row({ at: 500 }).runId), Buffer.from('{"version":1'));
    await world.archive(archived);
    const { index, ids } = await world.open();
    await complete(index);
    await expect.poll(ids).toEqual([archived.runId, streamed.runId]);
  });

  it("lists a run of which only its definition is left as failed, unless Redis knows it", async () => {
    const world = await indexWorld();
    const [lost, live] = [row({ at: 1_000 }), row({ at: 2_000 })];
    for (const { runId, group, number } of [lost, live]) {
      const definition = parseDefinition({ name: "build", group, tasks: {} });
      const stored: StoredDefinition = { version: 1, runId, group, number, createdAt: 1_000, definition };
      await world.store.put(layout.definition(runId), Buffer.from(JSON.stringify(stored)));
    }
    await world.redis.hset(world.keys.run(live.runId), "number", live.number);
    const { index, rows } = await world.open();
    await complete(index);
    expect(await rows()).toMatchObject([{ runId: lost.runId, phase: "finished", result: "failed", reason: "state_lost" }]);
  });

  it("does not list a deleted run", async () => {
    const world = await indexWorld();
    const deleted = row();
    await world.archive(deleted);
    await world.store.put(layout.runDeleted(deleted.runId), Buffer.from("{}"));
    const { index, ids } = await world.open();
    await complete(index);
    expect(await ids()).toEqual([]);
  });
});

describe("the file of an index", () => {
  it("is one process's alone: a second one makes its own", async () => {
    const world = await indexWorld();
    await world.append(row());
    const [first, second] = [await world.open(), await world.open()];
    await expect.poll(first.ids).toHaveLength(1);
    await expect.poll(second.ids).toHaveLength(1);
    expect((await readdir(world.folder)).filter((name) => name.endsWith(".sqlite")).sort()).toEqual(["runs-1.sqlite", "runs-2.sqlite"]);
  });

  it("that cannot be read is made anew", async () => {
    const world = await indexWorld();
    await writeFile(join(world.folder, "runs-1.sqlite"), "this is no database, but long enough to look like one".repeat(100));
    await world.append(row());
    const { index, ids } = await world.open();
    await complete(index);
    await expect.poll(ids).toHaveLength(1);
  });
});
