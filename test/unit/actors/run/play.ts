import { expect } from "vitest";
import type { Decision, Effect, Reply, Stored } from "../../../../src/actors/actor.ts";
import { PoolMessage } from "../../../../src/actors/pool/messages.ts";
import type { RunMessage } from "../../../../src/actors/run/messages.ts";
import type { KnownRun, RunChange, RunState } from "../../../../src/actors/run/state.ts";
import { assignmentId } from "../../../../src/ids.ts";
import type { AttemptOutcome } from "../../../../src/runs/outcome.ts";
import { presentRun } from "../../../../src/runs/present.ts";
import type { StoredDefinition } from "../../../../src/runs/stored-definition.ts";
import type { TaskState } from "../../../../src/runs/task.ts";
import type { RunEvent, RunView, TaskView } from "../../../../src/runs/view.ts";
import { actor, commit, createdAt, effectsOf, freshlyCreated, known, runId, storedRun } from "./fixtures.ts";

export const session = "abcdefgh";

/**
 * One run, told messages one by one. Every message is decided twice: on the owner's cached state, frozen, and on the state read
 * anew from what was written. Both must agree, so every scenario also tests purity, the record and what is derived from it.
 */
export class Play {
  now = createdAt + 1000;
  stored: Stored;
  state: RunState;
  readonly effects: Effect[] = [];
  #last: readonly Effect[] = [];

  constructor(stored: StoredDefinition, setupErrors: readonly string[] = []) {
    this.stored = freshlyCreated(stored, setupErrors);
    this.state = actor.decode(runId, this.stored);
  }

  /** A run that has been created and started. */
  static running(raw: Record<string, unknown>, more: Partial<StoredDefinition> = {}): Play {
    const play = Play.queued(raw, more);
    play.tell({ type: "start" });
    return play;
  }

  static queued(raw: Record<string, unknown>, more: Partial<StoredDefinition> = {}): Play {
    const play = new Play(storedRun(raw, more));
    play.tell({ type: "create", number: 7 });
    return play;
  }

  /** Decides and commits a message, and then what the run tells itself. Returns the reply. */
  tell(raw: RunMessage): Reply | undefined {
    const message = actor.parseMessage(structuredClone(raw));
    const context = { now: this.now, session };
    const reread = actor.decode(runId, this.stored);
    const decision = actor.decide(deepFreeze(this.state), message, context);
    expect(withoutBounds(actor.decide(deepFreeze(reread), message, context))).toEqual(withoutBounds(decision));
    const after = commit(thaw(this.state), decision, this.stored);
    this.state = after.state;
    this.stored = after.stored;
    this.effects.push(...decision.effects);
    for (const { to, message: own } of effectsOf(decision.effects, "send")) {
      if (to.kind === "run") this.tell(actor.parseMessage(own));
    }
    this.#last = decision.effects;
    return decision.reply;
  }

  /** Lets time pass, and ticks as often as the run wants it until then. */
  wait(ms: number): void {
    const until = this.now + ms;
    for (let due = actor.deadline(this.state); due !== undefined && due <= until; due = actor.deadline(this.state)) {
      this.now = Math.max(this.now, due);
      this.tell({ type: "tick" });
    }
    this.now = until;
  }

  /** The pool places the task. */
  assign(task: string, executor = "executor-1"): string {
    const { index, attempt } = this.#requested(task);
    const assignment = assignmentId({ runId, task: index, attempt, session });
    this.tell({ type: "assigned", task: index, attempt, assignment, executor });
    return assignment;
  }

  /** The pool takes the task's request back. */
  withdrawn(task: string): void {
    const { index, attempt } = this.#requested(task);
    this.tell({ type: "withdrawn", task: index, attempt });
  }

  queueTimeout(task: string): void {
    const { index, attempt } = this.#requested(task);
    this.tell({ type: "queue-timeout", task: index, attempt });
  }

  begin(task: string): void {
    this.tell({ type: "attempt-started", assignment: this.assignment(task), at: this.now });
  }

  end(task: string, outcome: Partial<AttemptOutcome> = {}): void {
    const assignment = this.assignment(task);
    this.tell({ type: "attempt-ended", assignment, outcome: { phase: "success", finishedAt: this.now, ranStep: true, ...outcome } });
  }

  /** Places, begins and ends the task. */
  succeed(task: string, outcome: Partial<AttemptOutcome> = {}): void {
    this.assign(task);
    this.begin(task);
    this.now += 10;
    this.end(task, outcome);
  }

  fail(task: string, outcome: Partial<AttemptOutcome> = {}): void {
    this.succeed(task, { phase: "failed", reason: "exit_code", exitCode: 1, ...outcome });
  }

  get run(): KnownRun {
    return known(this.state);
  }

  get view(): RunView {
    return presentRun(this.run);
  }

  task(name: string): TaskView {
    const task = this.view.tasks[name];
    if (!task) throw new Error(`no such task: ${name}`);
    return task;
  }

  taskState(name: string): TaskState {
    const task = this.run.tasks[this.index(name)];
    if (!task) throw new Error(`no such task: ${name}`);
    return task;
  }

  index(name: string): number {
    const index = this.run.graph.indexOf(name);
    if (index === undefined) throw new Error(`no such task: ${name}`);
    return index;
  }

  assignment(name: string): string {
    const task = this.taskState(name);
    if (task.stage !== "assigned" && task.stage !== "live") throw new Error(`${name} is ${task.stage}`);
    return task.assignment;
  }

  /** What the last message caused. */
  get last(): readonly Effect[] {
    return this.#last;
  }

  get events(): readonly RunEvent[] {
    return effectsOf(this.effects, "event").map(({ event }) => event);
  }

  /** Mail to pools, in order; only that of the last message if asked. */
  toPool(effects: readonly Effect[] = this.effects): readonly PoolMessage[] {
    return effectsOf(effects, "send")
      .filter(({ to }) => to.kind === "pool")
      .map(({ message }) => PoolMessage.parse(message));
  }

  /** `status` of every task by name. */
  get statuses(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(this.view.tasks).map(([name, { status }]) => [name, status]));
  }

  #requested(task: string): { readonly index: number; readonly attempt: number } {
    const state = this.taskState(task);
    if (state.stage !== "requested") throw new Error(`${task} is ${state.stage}`);
    return { index: this.index(task), attempt: state.attempts.length + 1 };
  }
}

/** A tick also says exactly when the run is due next: derived, and not written. */
function withoutBounds({ changes, ...rest }: Decision<RunChange>): Decision<RunChange> {
  return { ...rest, changes: changes.filter(({ type }) => type !== "due") };
}

/** Freezes everything that JSON could hold; Maps and Sets stay as they are. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
  return value;
}

/** The owner's cache may be altered in place by `apply`: a copy whose outer layers are not frozen. */
function thaw(state: RunState): RunState {
  if (state.type === "absent") return state;
  const { index } = state;
  return {
    ...state,
    tasks: [...state.tasks],
    texts: [...state.texts],
    index: { ...index, counts: { ...index.counts }, openParents: [...index.openParents] },
  };
}
