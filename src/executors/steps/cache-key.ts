import { evaluateCacheKey } from "../../runs/cache-key.ts";
import type { StepContext } from "./step-context.ts";
import { StepFault } from "./step-fault.ts";

/** The key that a template stands for in this pod, now. Dates are UTC. */
export async function cacheKey(template: string, context: StepContext, signal: AbortSignal): Promise<string> {
  const at = new Date(context.now());
  const two = (value: number) => String(value).padStart(2, "0");
  return evaluateCacheKey(template, {
    arch: () => context.pod.arch,
    os: () => context.pod.os,
    env: (name) => context.environment[name] ?? "",
    sha256sum: (file) => digest(file, context, signal),
    year: () => String(at.getUTCFullYear()),
    month: () => two(at.getUTCMonth() + 1),
    day: () => two(at.getUTCDate()),
    unixtime: () => String(Math.floor(at.getTime() / 1000)),
  });
}

async function digest(file: string, { pod, workingDir }: StepContext, signal: AbortSignal): Promise<string> {
  const path = file.startsWith("/") || file.startsWith("~") ? file : `${workingDir}/${file}`;
  const found = await pod.files.sha256(path, signal);
  if (found === undefined) throw new StepFault("config", `the cache key needs ${file}, which does not exist`);
  return found;
}
