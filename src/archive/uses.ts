import { z } from "zod";
import { jsonBytes, readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { StoredDefinition } from "../runs/stored-definition.ts";

/** `runs/<id>/used-by/<restart>.json`: the tasks, with their attempts, whose logs and archives that restart shows and hands on. */
const Use = z.object({
  version: z.literal(1),
  restart: z.string(),
  tasks: z.array(z.object({ task: z.string(), attempt: z.number().int() })),
});

export type UsedTask = z.infer<typeof Use>["tasks"][number];

/** The runs whose archives a restart uses. */
function usedRuns(stored: StoredDefinition): ReadonlyMap<string, readonly UsedTask[]> {
  const used = new Map<string, UsedTask[]>();
  for (const [task, { runId, attempt }] of Object.entries(stored.restart?.kept ?? {})) {
    const tasks = used.get(runId);
    if (tasks) tasks.push({ task, attempt });
    else used.set(runId, [{ task, attempt }]);
  }
  return used;
}

/**
 * Notes in ost which archives a restart keeps in use, so that deleting the runs they are from spares them. Idempotent.
 * To be done before the restart is created; archiving does it again. A note of a run that never came to be spares too much, no more.
 */
export async function markUses(store: Store, stored: StoredDefinition): Promise<void> {
  for (const [runId, tasks] of usedRuns(stored)) {
    const use: z.infer<typeof Use> = { version: 1, restart: stored.runId, tasks: [...tasks] };
    await store.put(layout.usedByRun(runId, stored.runId), jsonBytes(use), { onlyIfAbsent: true });
  }
}

/** Takes the notes of a deleted restart back; answers the runs that it used. */
export async function unmarkUses(store: Store, stored: StoredDefinition): Promise<readonly string[]> {
  const used = [...usedRuns(stored).keys()];
  await store.delete(used.map((runId) => layout.usedByRun(runId, stored.runId)));
  return used;
}

/** Every task of a run that some restart uses. */
export async function findUses(store: Store, runId: string): Promise<readonly UsedTask[]> {
  const used: UsedTask[] = [];
  let startAfter: string | undefined;
  do {
    const page = await store.list({ prefix: layout.usedBy(runId), ...(startAfter === undefined ? {} : { startAfter }) });
    for (const { key } of page.objects) used.push(...((await readJson(store, key, Use))?.tasks ?? []));
    startAfter = page.next;
  } while (startAfter !== undefined);
  return used;
}
