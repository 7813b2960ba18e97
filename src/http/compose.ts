import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { deleteArchivedRun } from "../archive/delete-archived.ts";
import { deleteLogsOfAttempt } from "../archive/delete-logs.ts";
import { findRun as findRunAnywhere } from "../archive/find-run.ts";
import { markUses } from "../archive/uses.ts";
import { layout } from "../ost/layout.ts";
import { unversioned } from "../read-model/apply.ts";
import type { FeedBatch } from "../read-model/feed.ts";
import { createReadModel, type ReadModel } from "../read-model/read-model.ts";
import { startRunIndex } from "../read-model/run-index.ts";
import { createSealer, loadSecretKey } from "../secrets.ts";
import { type Api, type AppDeps, createApp } from "./app.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { createEventWindow, type EventWindow } from "./event-window.ts";
import { createFleet } from "./fleet.ts";
import { createBodyHmac } from "./idempotency.ts";
import { createLiveRuns } from "./live-runs.ts";
import { createMaintenance } from "./maintenance.ts";
import { createNewRun } from "./new-run.ts";
import { type Opening, type Outlets, openOutlets } from "./outlets.ts";
import { createRoomCheck, measureLoad } from "./overload.ts";
import { readinessChecks } from "./readiness.ts";
import { createRunEventReader } from "./run-events.ts";
import { scrape } from "./scrape.ts";
import { createStreamLimit } from "./stream-limit.ts";
import { readWaitingContext } from "./waiting-context.ts";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

/** The api role without its socket. */
export interface ComposedApi {
  readonly app: Api;
  /** Why this process cannot go on; undefined while it can. */
  readonly fault: () => Error | undefined;
}

interface Listing {
  readonly model: ReadModel;
  readonly window: EventWindow;
  readonly indexComplete: () => boolean;
}

/** Follows the event stream: into the read model for lists, into the window for event streams. */
function openListing({ config, log, onClose }: Opening, { store, redis, keys, connectBlocking, metrics }: Outlets): Listing {
  const model = createReadModel(join(config.dataDir, "read-model"));
  onClose(() => model.close());
  const window = createEventWindow();
  const onBatch = (batch: FeedBatch) => {
    window.take(batch);
    for (const { events } of batch.entries) metrics.runs.happened(events);
  };
  const follow = { onBegin: window.begin, onBatch };
  const index = startRunIndex({ model, store, redis, connect: connectBlocking, keys, log, ...follow });
  onClose(() => index.close());
  return { model, window, indexComplete: index.complete };
}

async function runDeps({ config, log }: Opening, outlets: Outlets, { model }: Listing) {
  const { redis, keys, store, installation, confirm } = outlets;
  const secretKey = await loadSecretKey(config);
  const sealer = createSealer(secretKey);
  const findRun = (runId: string) =>
    findRunAnywhere({ redis, keys, store, contextOf: (run) => readWaitingContext(redis, keys, run) }, runId);
  const sourceExists = async (id: string) => /^[0-9a-z]{1,64}$/.test(id) && (await store.stat(layout.source(id))) !== undefined;
  // What was done is done, listed or not: the event stream brings it to the list too, a moment later.
  const atOnce = (listed: Promise<void>) => listed.catch((err: unknown) => log.warn({ err }, "could not bring a run to the list at once"));
  const createRun = createNewRun({
    redis,
    keys,
    installation,
    sealer,
    confirm,
    sourceExists,
    poolAccess: config.poolGroups,
    allowPod: config.allowPod,
    markUses: (stored) => markUses(store, stored),
    list: (row) => atOnce(model.call("apply", { rows: [unversioned(row)], results: [] })),
    log,
  });
  return {
    sealer,
    findRun,
    sourceExists,
    poolAccess: config.poolGroups,
    allowPod: config.allowPod,
    createRun,
    ...createLiveRuns({ redis, keys, findRun }),
    bodyHmac: createBodyHmac(secretKey),
    runEvents: createRunEventReader({ redis, keys, store }),
    deleteArchived: (runId: string) => deleteArchivedRun({ redis, keys, store, now: Date.now }, runId),
    unlist: (runId: string) => atOnce(model.call("hide", [runId])),
    deleteLogObjects: async (runId: string, task: string, attempts: number) => {
      for (let attempt = 1; attempt <= attempts; attempt++) await deleteLogsOfAttempt(store, { runId, task, attempt });
    },
  };
}

/** Opens everything that the api role needs, and puts its routes together. */
export async function composeApi(opening: Opening, closing: AbortSignal): Promise<ComposedApi> {
  const { config, log } = opening;
  const outlets = await openOutlets(opening);
  const { redis, keys, shards, metrics, queues } = outlets;
  const listing = openListing(opening, outlets);
  const { model } = listing;
  const fleet = createFleet({ redis, keys, shards });
  const load = () => measureLoad(redis, keys, shards);
  const onOddity = (err: unknown) => log.warn({ err }, "an unreadable metric");
  const deps: AppDeps = {
    ...outlets,
    ...listing,
    ...(await runDeps(opening, outlets, listing)),
    log,
    version,
    adminToken: config.adminToken,
    maxBodyBytes: config.maxBodyBytes,
    maxSourceBytes: config.maxSourceBytes,
    maxRequestsPerSecond: config.maxRequestsPerSecond,
    fleet,
    maintenance: createMaintenance(outlets),
    deadLetters: createDeadLetters(outlets),
    closing,
    streams: createStreamLimit(config.maxStreams, metrics.http.streamsOpen),
    assertRoom: createRoomCheck(load, () => performance.now()),
    fault: model.fault,
    checks: readinessChecks({ ...outlets, indexComplete: listing.indexComplete }),
    dashboard: queues.dashboard,
    scrape: () => scrape({ redis, keys, metrics, fleet, model, load, queues: queues.counts, onOddity }),
  };
  return { app: createApp(deps), fault: model.fault };
}
