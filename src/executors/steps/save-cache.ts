import { layout } from "../../ost/layout.ts";
import type { Step } from "../../runs/steps/registry.ts";
import { packedContents, uploadArchive } from "./archives.ts";
import { cacheKey } from "./cache-key.ts";
import { cachePlace } from "./cache-place.ts";
import type { StepContext } from "./step-context.ts";

type SaveCache = Extract<Step, { type: "save_cache" }>;

/** Saves files under a key, for later runs. A key that exists is a success without an upload: caches never change. */
export async function saveCache(step: SaveCache, context: StepContext, signal: AbortSignal): Promise<void> {
  const name = await cacheKey(step.key, context, signal);
  const key = layout.cache(cachePlace(context), name);
  const there = await context.store.stat(key);
  const upload = { key, label: { kind: "cache", name }, contents: packedContents(step.contents) } as const;
  const stored = !there && (await uploadArchive(context, upload, signal));
  await context.log.line(stored ? `saved as ${name}` : `cache ${name} is there already`);
}
