import { findCache } from "../../ost/archives.ts";
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
    const found = await findCache(context.store, place, name);
    if (found && (await downloadArchive(context, { key: found.key, destDir }, signal))) {
      return context.log.line(found.exact ? `restored ${name}` : `restored ${found.name}, the newest that begins with ${name}`);
    }
    await context.log.line(`no cache ${name}`);
  }
}
