import type { Definition } from "./definition.ts";
import { type Fault, formatPath } from "./location.ts";

/** Pools that only some groups may use, each with the prefixes of their paths. A pool that is not listed is open to all. */
export type PoolAccess = Readonly<Record<string, readonly string[]>>;

/** Tasks ask for the pool `default` unless they name one, as `compileGraph` has it. */
const defaultPool = "default";

/** Why tasks of this definition would never be given to an executor: their pools are closed to the run's group. */
export function findClosedPools({ group, tasks }: Definition, access: PoolAccess): readonly Fault[] {
  return Object.entries(tasks).flatMap(([name, { pool = defaultPool }]) => {
    const prefixes = Object.hasOwn(access, pool) ? access[pool] : undefined;
    if (!prefixes || prefixes.some((prefix) => isWithin(group, prefix))) return [];
    const message = `pool "${pool}" is only open to runs below ${prefixes.join(", ")}, and this one is in ${group}`;
    return [{ path: formatPath(["tasks", name, "pool"]), message }];
  });
}

/** A prefix ends where a segment does. */
function isWithin(group: string, prefix: string): boolean {
  return group === prefix || group.startsWith(`${prefix}/`);
}
