import { parseRunId } from "../ids.ts";
import { layout } from "./layout.ts";
import type { Store } from "./store.ts";

/** Ids of all runs that have objects, deleted ones included, in the order of their creation; from after `startAfter`. */
export async function* listRunIds(store: Store, startAfter?: string): AsyncGenerator<string> {
  let after = startAfter === undefined ? undefined : layout.runFolder(startAfter);
  do {
    const page = await store.list({ prefix: layout.runs, delimiter: "/", ...(after === undefined ? {} : { startAfter: after }) });
    for (const prefix of page.prefixes) {
      const id = prefix.slice(layout.runs.length, -1);
      if (parseRunId(id)) yield id;
    }
    after = page.next;
  } while (after !== undefined);
}
