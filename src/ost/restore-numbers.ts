import { z } from "zod";
import { rootOf } from "../ids.ts";
import { inParallel } from "./in-parallel.ts";
import { readJson } from "./json-object.ts";
import { layout } from "./layout.ts";
import { listRunIds } from "./list-runs.ts";
import type { Store } from "./store.ts";

/** What every object of a run says of it: `run.json` below `run`, the others at their top. */
const Numbered = z.object({ group: z.string(), number: z.number().int().optional() });
const NumberedRun = z.object({ run: Numbered });

/** Small objects read at once: enough to hide the latency of remote storage. */
const concurrency = 32;

/** The greatest run number of every root group that any object tells of: numbering goes on after it. */
export async function restoreNumbers(store: Store): Promise<ReadonlyMap<string, number>> {
  const greatest = new Map<string, number>();
  await inParallel(listRunIds(store), concurrency, async (runId) => {
    const found = await findNumber(store, runId);
    if (!found) return;
    const root = rootOf(found.group);
    greatest.set(root, Math.max(greatest.get(root) ?? 0, found.number));
  });
  return greatest;
}

async function findNumber(store: Store, runId: string): Promise<{ group: string; number: number } | undefined> {
  const sources = [
    () => readJson(store, layout.definition(runId), Numbered),
    async () => (await readJson(store, layout.run(runId), NumberedRun))?.run,
    () => readJson(store, layout.runDeleted(runId), Numbered),
  ];
  for (const read of sources) {
    const found = await read();
    if (found?.number !== undefined) return { group: found.group, number: found.number };
  }
  return undefined;
}
