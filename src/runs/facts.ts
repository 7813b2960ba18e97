import { z } from "zod";
import { RunPhase } from "./states.ts";

const count = z.string().regex(/^\d+$/).transform(Number);

/** What the script that creates a run writes to `run:<id>`, immutable until the run is forgotten. Times in ms. */
const Facts = z.object({
  number: count,
  group: z.string(),
  name: z.string(),
  createdAt: count,
  /** `queued` or `setuperror`: the phase at creation. */
  phase: RunPhase,
  /** The root group. */
  root: z.string(),
  setupErrors: z
    .string()
    .transform((text): string[] => z.array(z.string()).parse(JSON.parse(text)))
    .optional(),
});

export interface RunFacts extends z.infer<typeof Facts> {
  readonly id: string;
}

/** A run's own hash: its facts, the tombstone of a run that only ost still knows, or nothing at all. */
export type RunHash =
  | { readonly type: "known"; readonly facts: RunFacts }
  | { readonly type: "archived"; readonly until: number }
  | { readonly type: "unknown" };

/** Throws if the hash is there but not what a create script writes. */
export function parseRunHash(id: string, hash: Readonly<Record<string, string>>): RunHash {
  if (hash.archived !== undefined) return { type: "archived", until: count.parse(hash.archived) };
  if (Object.keys(hash).length === 0) return { type: "unknown" };
  return { type: "known", facts: { ...Facts.parse(hash), id } };
}
