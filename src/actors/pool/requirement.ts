import type { ExecutorDescription } from "../executor/description.ts";
import type { Requirement } from "./messages.ts";

/** What placement knows of an executor's abilities. Executors of one kind are interchangeable but for their load. */
export type Abilities = Pick<ExecutorDescription, "archs" | "labels" | "allowPrivileged">;

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const sortedEntries = (labels: Readonly<Record<string, string>>) => Object.entries(labels).sort(([a], [b]) => byCodeUnits(a, b));

/** The same for two requirements exactly if the same executors fit them: the requirement class. */
export function classOf({ arch, labels, privileged }: Requirement): string {
  return JSON.stringify([arch ?? null, privileged === true, sortedEntries(labels ?? {})]);
}

/** The same for two executors exactly if they fit the same requirements. */
export function kindOf({ archs, labels, allowPrivileged }: Abilities): string {
  return JSON.stringify([[...archs].sort(byCodeUnits), allowPrivileged, sortedEntries(labels)]);
}

/** True if an executor of these abilities may be given the task (invariant A8). */
export function fits({ arch, labels, privileged }: Requirement, abilities: Abilities): boolean {
  if (privileged === true && !abilities.allowPrivileged) return false;
  if (arch !== undefined && !abilities.archs.includes(arch)) return false;
  for (const name in labels) {
    if (!Object.hasOwn(abilities.labels, name) || abilities.labels[name] !== labels[name]) return false;
  }
  return true;
}
