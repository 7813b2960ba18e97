import type { Tasks } from "../../runs/advance.ts";
import type { TaskNode } from "../../runs/graph.ts";
import { indexRow } from "../../runs/index-row.ts";
import type { AttemptReason } from "../../runs/outcome.ts";
import type { RunHead, StatusCounts } from "../../runs/run.ts";
import { isTerminalStatus, type RunReason, type RunResult, type StepPhase } from "../../runs/states.ts";
import { statusOf, type TaskState } from "../../runs/task.ts";
import { timeOf } from "../../runs/time.ts";
import type { RunEvent } from "../../runs/view.ts";
import type { Decision, Effect, Reply } from "../actor.ts";
import type { KnownRun, RunChange } from "./state.ts";

/**
 * A decision in the making: the run as it will be, beside the run as it is, which is never altered.
 * Every change of a status, of an attempt or of the run's (phase, result) goes through here, and so has its event (semantics: events).
 */
export class Draft implements Tasks {
  readonly run: KnownRun;
  readonly now: number;
  #head: RunHead;
  #tasks: Map<number, TaskState> | undefined;
  #counts: StatusCounts | undefined;
  #failures: number;
  #openParents: Map<number, number> | undefined;
  #freed: number[] = [];
  #at: string | undefined;
  readonly #effects: Effect[] = [];

  constructor(run: KnownRun, now: number) {
    this.run = run;
    this.now = now;
    this.#head = run.head;
    this.#failures = run.index.failures;
  }

  get graph() {
    return this.run.graph;
  }

  get head(): RunHead {
    return this.#head;
  }

  get stop() {
    return this.#head.stop;
  }

  get counts(): StatusCounts {
    return this.#counts ?? this.run.index.counts;
  }

  /** Failed tasks that do not ignore their failure. */
  get failures(): number {
    return this.#failures;
  }

  /** Tasks that this decision has changed. */
  get changedTasks(): Iterable<number> {
    return this.#tasks?.keys() ?? [];
  }

  readonly task = (index: number): TaskState => {
    const task = this.#tasks?.get(index) ?? this.run.tasks[index];
    if (!task) throw new Error(`no such task: ${index}`);
    return task;
  };

  node(index: number): TaskNode {
    const node = this.graph.tasks[index];
    if (!node) throw new Error(`no such task: ${index}`);
    return node;
  }

  change(head: Partial<RunHead>): void {
    this.#head = { ...this.#head, ...head };
  }

  /** Moves the run to another phase, result, or both, one after the other, each with its event. */
  move(to: { readonly phase?: RunHead["phase"]; readonly result?: RunResult; readonly reason?: RunReason }): void {
    const { phase, result, reason } = to;
    if (reason !== undefined) this.change({ reason });
    if (result !== undefined && result !== this.#head.result) {
      this.change({ result });
      this.#event({ type: "run", phase: this.#head.phase, result });
    }
    if (phase !== undefined && phase !== this.#head.phase) {
      this.change({ phase });
      this.#event({ type: "run", phase, result: this.#head.result });
    }
  }

  /** Replaces a task's state. A change of its status is an event; a task that becomes terminal may free its children. */
  set(index: number, to: TaskState): void {
    const from = this.task(index);
    const [before, after] = [statusOf(from), statusOf(to)];
    this.#tasks ??= new Map();
    this.#tasks.set(index, to);
    if (before === after) return;
    if (isTerminalStatus(before)) throw new Error(`task ${index} has ended as ${before}`);
    this.#counts ??= { ...this.run.index.counts };
    this.#counts[before]--;
    this.#counts[after]++;
    this.#event({ type: "task", task: this.node(index).name, status: after, reason: reasonOf(to) });
    if (isTerminalStatus(after)) this.#freeChildren(index, after);
  }

  attemptEvent(
    index: number,
    attempt: { readonly number: number; readonly phase: StepPhase; readonly reason: AttemptReason | undefined },
  ): void {
    const { number, phase, reason } = attempt;
    this.#event({ type: "attempt", task: this.node(index).name, attempt: number, phase, reason: reason ?? null });
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Pending tasks whose last open parent has become terminal since the last call, ascending. */
  takeFreed(): readonly number[] {
    if (this.#freed.length === 0) return this.#freed;
    const freed = this.#freed.sort((a, b) => a - b);
    this.#freed = [];
    return freed;
  }

  openParents(index: number): number {
    return this.#openParents?.get(index) ?? this.run.index.openParents[index] ?? 0;
  }

  decide(options: { readonly dueAt?: number; readonly reply?: Reply | undefined } = {}): Decision<RunChange> {
    const before = this.run.head;
    if (this.#head.phase !== before.phase || this.#head.result !== before.result || this.#head.deletion !== before.deletion) {
      this.effect({ type: "row", row: indexRow({ ...this.run, head: this.#head }, this.counts) });
    }
    const changes: RunChange[] = [];
    for (const [task, to] of this.#tasks ?? []) changes.push({ type: "task", task, to });
    if (this.#head !== before) changes.push({ type: "head", to: this.#head });
    if (options.dueAt !== undefined) changes.push({ type: "due", at: options.dueAt });
    return { changes, effects: this.#effects, ...(options.reply && { reply: options.reply }) };
  }

  #freeChildren(index: number, status: string): void {
    const node = this.node(index);
    if (status === "failed" && !node.ignoreFailure) this.#failures++;
    for (const child of node.children) {
      const open = this.openParents(child) - 1;
      this.#openParents ??= new Map();
      this.#openParents.set(child, open);
      if (open === 0 && this.task(child).stage === "pending") this.#freed.push(child);
    }
  }

  #event(what: EventBody): void {
    const seq = this.#head.seq + 1;
    this.change({ seq });
    this.#at ??= timeOf(this.now);
    const { id } = this.run.facts;
    this.#effects.push({ type: "event", event: { id: `${id}-${seq}`, runId: id, seq, at: this.#at, ...what } });
  }
}

type EventBody = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, "id" | "runId" | "seq" | "at"> : never) : never;

function reasonOf(task: TaskState): string | null {
  if (task.stage !== "ended") return null;
  return task.reason ?? task.skip?.type ?? (task.kept ? "reused" : null);
}
