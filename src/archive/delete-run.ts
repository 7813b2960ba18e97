import { z } from "zod";
import { jsonBytes, readJson } from "../ost/json-object.ts";
import { keySegment, layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { StoredDefinition } from "../runs/stored-definition.ts";
import { readArchivedDefinition } from "./definition-object.ts";
import { findUses, unmarkUses } from "./uses.ts";

/** `runs/<id>/deleted.json`, which stays for ever: the run's number is taken. */
const DeletedRun = z.object({
  version: z.literal(1),
  runId: z.string(),
  group: z.string(),
  number: z.number().int().optional(),
  deletedAt: z.string(),
});

/**
 * Deletes a run's objects but what restarts use. The mark comes first, and from then on nobody finds the run. Idempotent:
 * a repeated deletion, also one of a run that ost does not know, finishes what is left.
 */
export async function deleteRun(
  store: Store,
  { runId, known, now }: { runId: string; known?: StoredDefinition; now: number },
): Promise<void> {
  const stored = known ?? (await readArchivedDefinition(store, runId));
  if (stored) {
    const mark: z.infer<typeof DeletedRun> = {
      version: 1,
      runId,
      group: stored.group,
      deletedAt: new Date(now).toISOString(),
      ...numberOf(stored),
    };
    await store.put(layout.runDeleted(runId), jsonBytes(mark), { onlyIfAbsent: true });
  }
  // Before the own definition goes, which is what tells a repetition about them.
  for (const used of stored ? await unmarkUses(store, stored) : []) if (await isDeleted(store, used)) await purgeRun(store, used);
  await purgeRun(store, runId);
}

function numberOf({ number }: StoredDefinition): { readonly number?: number } {
  return number === undefined ? {} : { number };
}

/** Whether a run was deleted; its objects may still be going. */
export async function isDeleted(store: Store, runId: string): Promise<boolean> {
  return (await readJson(store, layout.runDeleted(runId), DeletedRun)) !== undefined;
}

/** Removes everything of a deleted run but the mark and what restarts use; its definition last, so that a repetition still finds what the run used. */
export async function purgeRun(store: Store, runId: string): Promise<void> {
  const used = await findUses(store, runId);
  for (const folderOf of Object.values(layout.ofRun)) {
    const folder = folderOf(runId);
    const kept = new Set(used.map(({ task, attempt }) => `${folder}${keySegment(task)}/${attempt}`));
    await deleteUnless(store, folder, (key) => kept.has(attemptOf(key)));
  }
  await store.delete([layout.run(runId), layout.runEvents(runId)]);
  await store.delete([layout.definition(runId)]);
}

/** The folder of an attempt that a key belongs to, be it an object in there or the mark that its logs were deleted. */
function attemptOf(key: string): string {
  return key
    .split("/")
    .slice(0, 4)
    .join("/")
    .replace(/\.deleted$/, "");
}

async function deleteUnless(store: Store, prefix: string, isKept: (key: string) => boolean): Promise<void> {
  let startAfter: string | undefined;
  do {
    const page = await store.list({ prefix, ...(startAfter === undefined ? {} : { startAfter }) });
    const condemned = page.objects.map(({ key }) => key).filter((key) => !isKept(key));
    if (condemned.length > 0) await store.delete(condemned);
    startAfter = page.next;
  } while (startAfter !== undefined);
}
