import type { Decision, Effect, Stored } from "../../../../src/actors/actor.ts";
import { createRunActor } from "../../../../src/actors/run/actor.ts";
import type { KnownRun, RunChange, RunState } from "../../../../src/actors/run/state.ts";
import { rootOf } from "../../../../src/ids.ts";
import { parseDefinition } from "../../../../src/runs/parse-definition.ts";
import type { StoredDefinition } from "../../../../src/runs/stored-definition.ts";

export const runId = "01kc8yq6000000abcdefghjkmn";
export const createdAt = 1_763_900_000_000;
export const group = "/project/web/branch/main";

/** The run actor on keys that are their own names, with definitions stored as plain JSON. */
export const actor = createRunActor({
  keys: { run: (id) => `run:${id}`, runDefinition: (id) => `def:${id}`, runTasks: (id) => `tasks:${id}` },
  decodeDefinition: (text) => text,
});

export function storedRun(raw: Record<string, unknown>, more: Partial<StoredDefinition> = {}): StoredDefinition {
  const definition = parseDefinition({ name: "build", group, ...raw });
  return { version: 1, runId, group, createdAt, definition, ...more };
}

/** What Redis holds of a run that the api has just created. */
export function freshlyCreated(stored: StoredDefinition, setupErrors: readonly string[] = []): Stored {
  const hash = {
    number: "7",
    group: stored.group,
    name: stored.definition.name,
    createdAt: String(stored.createdAt),
    phase: setupErrors.length > 0 ? "setuperror" : "queued",
    root: rootOf(stored.group),
    ...(setupErrors.length > 0 && { setupErrors: JSON.stringify(setupErrors) }),
  };
  return { state: null, parts: [hash, JSON.stringify(stored), null] };
}

/** Applies and writes a decision as the owner does; returns what Redis holds then. */
export function commit(
  state: RunState,
  decision: Decision<RunChange>,
  before: Stored,
): { readonly state: RunState; readonly stored: Stored } {
  const after = decision.changes.reduce((current, change) => actor.apply(current, change), state);
  if (decision.changes.length === 0) return { state: after, stored: before };
  const write = actor.encode(runId, after, decision.changes);
  const [hash = null, definition = null, fields] = before.parts;
  const tasks = { ...(typeof fields === "object" ? fields : {}) };
  for (const { set } of write.hashes) Object.assign(tasks, set);
  if (write.state === null) return { state: after, stored: { state: null, parts: [null, null, null] } };
  return { state: after, stored: { state: write.state, parts: [hash, definition, tasks] } };
}

export function known(state: RunState): KnownRun {
  if (state.type === "absent") throw new Error("the run is not known");
  return state;
}

export type Sent<Type extends Effect["type"]> = Extract<Effect, { type: Type }>;

export function effectsOf<Type extends Effect["type"]>(effects: readonly Effect[], type: Type): readonly Sent<Type>[] {
  return effects.filter((effect): effect is Sent<Type> => effect.type === type);
}
