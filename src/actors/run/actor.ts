import { parseRunHash } from "../../runs/facts.ts";
import { openRun } from "../../runs/open-run.ts";
import { encodeState, encodeTaskText, maxInlineTasks } from "../../runs/record.ts";
import { readStoredDefinition } from "../../runs/stored-definition.ts";
import type { TaskState } from "../../runs/task.ts";
import type { Actor, HashWrite, StateWrite, Stored } from "../actor.ts";
import { decide } from "./decide.ts";
import { RunMessage } from "./messages.ts";
import { applyChange, deadlineOf, indexRun, type KnownRun, type RunChange, type RunState } from "./state.ts";

export interface RunActorOptions {
  /** Where a run's keys are: its hash, its definition, and the tasks of a big run. */
  readonly keys: {
    readonly run: (id: string) => string;
    readonly runDefinition: (id: string) => string;
    readonly runTasks: (id: string) => string;
  };
  /** The JSON text of a definition as Redis holds it. */
  readonly decodeDefinition: (text: string) => string;
}

/** What a task takes of memory: its definition, node and state. In Redis the definitions of tasks that are alike take next to nothing. */
const bytesPerTask = 2_000;

/** The actor of one run: see decide.ts. Its definition is read once and never written. */
export function createRunActor({ keys, decodeDefinition }: RunActorOptions): Actor<RunState, RunMessage, RunChange> {
  return {
    kind: "run",
    parseMessage: (raw) => RunMessage.parse(raw),
    decide,
    apply: applyChange,
    deadline: deadlineOf,
    parts: (id) => [
      { key: keys.run(id), type: "hash" },
      { key: keys.runDefinition(id), type: "string" },
      { key: keys.runTasks(id), type: "hash" },
    ],
    decode: (id, stored) => decodeState(id, stored, decodeDefinition),
    weigh: (state) => (state.type === "known" ? state.tasks.length * bytesPerTask : 0),
    encode: (id, state, changes) => encodeChanges(keys.runTasks(id), state, changes),
  };
}

function decodeState(id: string, { state, parts }: Stored, decodeDefinition: RunActorOptions["decodeDefinition"]): RunState {
  const hash = parseRunHash(id, hashOf(parts[0]));
  if (hash.type !== "known") return { type: "absent", id, isArchived: hash.type === "archived" };
  const text = parts[1];
  if (typeof text !== "string") throw new Error(`run ${id} has no definition`);
  const stored = readStoredDefinition(decodeDefinition(text));
  return indexRun(openRun({ stored, facts: hash.facts, state, tasks: hashOf(parts[2]) }));
}

function encodeChanges(tasksKey: string, state: RunState, changes: readonly RunChange[]): StateWrite {
  if (state.type === "absent") return { state: null, hashes: [] };
  if (state.tasks.length <= maxInlineTasks) return { state: encodeState(state, state.tasks.map(inlineText(state))), hashes: [] };
  const set: Record<string, string> = {};
  for (const change of changes) {
    const task = change.type === "task" ? state.tasks[change.task] : undefined;
    if (change.type === "task" && task) set[change.task] = encodeTaskText(task, state.facts.createdAt);
  }
  const hashes: HashWrite[] = Object.keys(set).length > 0 ? [{ key: tasksKey, set, remove: [] }] : [];
  return { state: encodeState(state, undefined), hashes };
}

/** A small run is written as a whole, but only the texts of tasks that have changed are made anew. */
function inlineText({ texts, facts }: KnownRun) {
  return (task: TaskState, index: number): string => {
    texts[index] ??= encodeTaskText(task, facts.createdAt);
    return texts[index];
  };
}

function hashOf(part: Stored["parts"][number] | undefined): Readonly<Record<string, string>> {
  return typeof part === "object" && part !== null ? part : {};
}
