import { layout } from "../../ost/layout.ts";
import type { Store } from "../../ost/store.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { downloadArchive } from "./archives.ts";
import { cacheKey } from "./cache-key.ts";
import { cachePlace } from "./cache-place.ts";
import type { StepContext } from "./step-context.ts";

type RestoreCache = Extract<Step, { type: "restore_cache" }>;

/** Restores the first of the keys that hits: exactly, else the newest cache that begins with it. A miss is a success. */
export async function restoreCache(step: RestoreCache, context: StepContext, signal: AbortSignal): Promise<void> {
  const place = cachePlace(context);
  const destDir = step.destDir ?? ".";
  for (const template of step.keys) {
    const name = await cacheKey(template, context, signal);
    const exact = layout.cache(place, name);
    if (await downloadArchive(context, { key: exact, destDir }, signal)) return context.log.line(`restored ${name}`);
    const newest = await findNewest(context.store, layout.cachePrefix(place, name));
    if (newest !== undefined && (await downloadArchive(context, { key: newest, destDir }, signal))) {
      return context.log.line(`restored ${newest.slice(newest.lastIndexOf("/") + 1)}, the newest that begins with ${name}`);
    }
    await context.log.line(`no cache ${name}`);
  }
}

/** The youngest object with that prefix. */
async function findNewest(store: Store, prefix: string): Promise<string | undefined> {
  let newest: { readonly key: string; readonly modifiedAt: number } | undefined;
  for (let startAfter: string | undefined = ""; startAfter !== undefined; ) {
    const page = await store.list({ prefix, ...(startAfter !== "" && { startAfter }) });
    for (const { key } of page.objects) {
      const stat = await store.stat(key);
      if (stat && (newest === undefined || stat.modifiedAt > newest.modifiedAt)) newest = { key, modifiedAt: stat.modifiedAt };
    }
    startAfter = page.next;
  }
  return newest?.key;
}
