import { jsonBytes } from "../ost/json-object.ts";
import { type AttemptPlace, layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";

/** Deletes every object below a prefix. */
export async function deleteBelow(store: Store, prefix: string): Promise<void> {
  for (;;) {
    const { objects } = await store.list({ prefix });
    if (objects.length === 0) return;
    await store.delete(objects.map(({ key }) => key));
  }
}

/** Deletes an attempt's logs; the mark comes first, so that readers say "deleted" where a crash leaves some of them. Idempotent. */
export async function deleteLogsOfAttempt(store: Store, place: AttemptPlace): Promise<void> {
  await store.put(layout.logsDeleted(place), jsonBytes({ version: 1, ...place }), { onlyIfAbsent: true });
  await deleteBelow(store, layout.logsOfAttempt(place));
}
