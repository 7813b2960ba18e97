import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { layout } from "../../src/ost/layout.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import type { Store } from "../../src/ost/store.ts";
import type { RunFilter } from "../../src/read-model/query.ts";
import { createReadModel } from "../../src/read-model/read-model.ts";
import { startRunIndex } from "../../src/read-model/run-index.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { initMeta } from "../../src/redis/scripts/init-meta.ts";
import type { IndexRow, RunView } from "../../src/runs/view.ts";
import { startRedis } from "../support/redis.ts";

const all: RunFilter = { recursive: false, phases: [], results: [], annotations: [], lastRun: false, order: "oldest", limit: 500 };

/** A Redis with an installation, an object storage, and on demand api processes that index both; of the running test alone. */
export async function indexWorld() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const keys = createKeys("{test}");
  const redis = createRedis(server.url, "commands");
  onTestFinished(() => redis.disconnect());
  await initMeta(redis, keys, { installation: "i", shards: 4, protocol: 1 });
  const folder = await mkdtemp(join(tmpdir(), "ostler-index-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = createMemoryStore();

  return {
    server,
    redis,
    keys,
    folder,
    store,
    /** Appends rows as a commit does. */
    append: async (...rows: readonly (IndexRow | string)[]) => {
      for (const row of rows) await redis.xadd(keys.indexRows, "*", "r", typeof row === "string" ? row : JSON.stringify([row]));
    },
    archive: async (row: IndexRow) => {
      await store.put(layout.run(row.runId), Buffer.from(JSON.stringify({ version: 1, run: viewOf(row) })));
    },
    /** Starts an api process's index; closing it is the test's, or happens at its end. */
    open: async (using: Store = store) => {
      const model = createReadModel(folder);
      const index = startRunIndex({
        model,
        store: using,
        redis,
        connect: () => createRedis(server.url, "blocking"),
        keys,
        log: pino({ level: "silent" }),
        onBegin: () => {},
        onBatch: () => {},
      });
      let closed = false;
      const close = async () => {
        if (closed) return;
        closed = true;
        await index.close();
        await model.close();
      };
      onTestFinished(close);
      return {
        model,
        index,
        close,
        ids: async () => (await model.call("listRuns", all)).items.map(({ runId }) => runId),
        rows: async () => (await model.call("listRuns", all)).items,
      };
    },
  };
}

function viewOf({ runId, deleted: _, taskCounts: __, ...row }: IndexRow): RunView {
  return {
    ...row,
    id: runId,
    stopping: false,
    priority: 0,
    archived: true,
    setupErrors: [],
    environment: {},
    staticEnvironment: {},
    waitingReason: null,
    timedOut: false,
    quarantined: false,
    canRestartFromScratch: true,
    canRestartFromFailed: false,
    tasks: {},
  };
}
