import type { Logger } from "pino";
import { OstlerError } from "../errors.ts";
import { parseRunId } from "../ids.ts";
import { inParallel } from "../ost/in-parallel.ts";
import { readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import { ArchivedRun } from "../runs/archived.ts";
import { StoredDefinition } from "../runs/stored-definition.ts";
import type { IndexRow } from "../runs/view.ts";
import { unversioned } from "./apply.ts";
import type { ReadModel } from "./read-model.ts";
import { rowOfLostRun, rowOfRun } from "./row-of-run.ts";

export interface FillOptions {
  readonly store: Store;
  readonly model: ReadModel;
  /** Which of these runs Redis knows, be it by a tombstone. */
  readonly known: (runIds: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What ost holds of one run. */
interface Folder {
  readonly runId: string;
  readonly files: ReadonlySet<string>;
}

/** Runs read at once: each is one small object, so this hides the latency of remote storage. */
const concurrency = 16;
const batchSize = 200;

/** Brings into the model every run that ost holds and the model does not yet show as ended. Repeating it changes nothing. */
export async function fillFromStore(options: FillOptions): Promise<void> {
  let batch: Folder[] = [];
  for await (const folder of foldersOf(options)) {
    batch.push(folder);
    if (batch.length < batchSize) continue;
    await takeFolders(options, batch);
    batch = [];
  }
  await takeFolders(options, batch);
}

/** Keys come in order, so those of one run are neighbours. */
async function* foldersOf({ store, signal }: FillOptions): AsyncGenerator<Folder> {
  let runId = "";
  let files = new Set<string>();
  let startAfter: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await store.list({ prefix: layout.runs, ...(startAfter === undefined ? {} : { startAfter }) });
    for (const { key } of page.objects) {
      const [id = "", file = ""] = key.slice(layout.runs.length).split("/");
      if (id !== runId) {
        if (parseRunId(runId)) yield { runId, files };
        runId = id;
        files = new Set();
      }
      files.add(file);
    }
    startAfter = page.next;
  } while (startAfter !== undefined);
  if (parseRunId(runId)) yield { runId, files };
}

async function takeFolders(options: FillOptions, folders: readonly Folder[]): Promise<void> {
  const { model, known } = options;
  const deleted = folders.filter(({ files }) => files.has("deleted.json")).map(({ runId }) => runId);
  if (deleted.length > 0) await model.call("hide", deleted);
  const present = new Map(folders.filter(({ files }) => !files.has("deleted.json")).map((folder) => [folder.runId, folder]));
  const missing = await model.call("unfinished", [...present.keys()]);
  const live = await known(missing.filter((id) => !present.get(id)?.files.has("run.json")));
  const rows: IndexRow[] = [];
  await inParallel(
    missing.filter((id) => !live.has(id)),
    concurrency,
    async (id) => {
      options.signal.throwIfAborted();
      const row = await readRow(options, id);
      if (row) rows.push(row);
    },
  );
  if (rows.length > 0) await model.call("apply", { rows: rows.map(unversioned), results: [] });
}

/** One damaged object must not hide all other runs: it is left out, and said so. */
async function readRow({ store, log }: FillOptions, runId: string): Promise<IndexRow | undefined> {
  try {
    const archived = await readJson(store, layout.run(runId), ArchivedRun);
    if (archived) return rowOfRun(archived.run);
    const definition = await readJson(store, layout.definition(runId), StoredDefinition);
    return definition && rowOfLostRun(definition);
  } catch (error) {
    // Storage that is away is no damage: the whole filling is tried again later.
    if (error instanceof OstlerError) throw error;
    log.error({ err: error, runId }, "left a run out of the index: its archive cannot be read");
    return undefined;
  }
}
