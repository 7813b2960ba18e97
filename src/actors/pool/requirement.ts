import type { ExecutorDescription } from "../executor/description.ts";
import type { Requirement } from "./messages.ts";

/** What placement knows of an executor's abilities. Executors of one kind are interchangeable but for their load. */
export type Abilities = Pick<ExecutorDescription, "archs" | "labels" | "allowPrivileged">;

/** One thing that a requirement asks for. */
export type Demand =
  | { readonly kind: "arch"; readonly name: string }
  | { readonly kind: "label"; readonly name: string; readonly value: string }
  | { readonly kind: "privileged" };

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

/** What of the requirement an executor does not offer; empty exactly if it fits. */
export function unmetBy({ arch, labels, privileged }: Requirement, abilities: Abilities): readonly Demand[] {
  const unmet: Demand[] = [];
  if (arch !== undefined && !abilities.archs.includes(arch)) unmet.push({ kind: "arch", name: arch });
  for (const [name, value] of sortedEntries(labels ?? {})) {
    if (!Object.hasOwn(abilities.labels, name) || abilities.labels[name] !== value) unmet.push({ kind: "label", name, value });
  }
  if (privileged === true && !abilities.allowPrivileged) unmet.push({ kind: "privileged" });
  return unmet;
}
