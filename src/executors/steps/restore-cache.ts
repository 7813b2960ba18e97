import { type CachePlace, layout, segmentName } from "../../ost/layout.ts";
import type { Store } from "../../ost/store.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { downloadArchive } from "./archives.ts";
import { cacheKey } from "./cache-key.ts";
import { readCacheName } from "./cache-name.ts";
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
    const newest = await findNewest(context.store, place, name);
    if (newest && (await downloadArchive(context, { key: newest.key, destDir }, signal))) {
      return context.log.line(`restored ${newest.name}, the newest that begins with ${name}`);
    }
    await context.log.line(`no cache ${name}`);
  }
}

interface Found {
  readonly key: string;
  readonly name: string;
  readonly modifiedAt: number;
}

/** The youngest cache whose name begins with `prefix`. Beyond a length keys are only alike: their names are read from the objects. */
async function findNewest(store: Store, place: CachePlace, prefix: string): Promise<Found | undefined> {
  let newest: Found | undefined;
  const listed = layout.cachePrefix(place, prefix);
  for (let startAfter: string | undefined = ""; startAfter !== undefined; ) {
    const page = await store.list({ prefix: listed, ...(startAfter !== "" && { startAfter }) });
    for (const { key } of page.objects) {
      const name = segmentName(key.slice(key.lastIndexOf("/") + 1).replace(/\.tar\.zst$/, "")) ?? (await readCacheName(store, key));
      const stat = name?.startsWith(prefix) ? await store.stat(key) : undefined;
      if (name !== undefined && stat && (newest === undefined || stat.modifiedAt > newest.modifiedAt)) {
        newest = { key, name, modifiedAt: stat.modifiedAt };
      }
    }
    startAfter = page.next;
  }
  return newest;
}
