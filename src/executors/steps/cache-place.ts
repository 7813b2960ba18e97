import { rootOf } from "../../ids.ts";
import type { CachePlace } from "../../ost/layout.ts";
import type { StepContext } from "./step-context.ts";

/** The run's cache namespace: it may be chosen, but only inside the own root group. */
export function cachePlace({ plan }: StepContext): CachePlace {
  const root = rootOf(plan.stored.group);
  return { root, namespace: plan.stored.definition.cacheGroup ?? root };
}
