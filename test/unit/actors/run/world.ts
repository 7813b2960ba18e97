import fc from "fast-check";
import { PoolMessage } from "../../../../src/actors/pool/messages.ts";
import type { RunMessage } from "../../../../src/actors/run/messages.ts";
import { assignmentId, parseAssignmentId } from "../../../../src/ids.ts";
import type { AttemptOutcome } from "../../../../src/runs/outcome.ts";
import { isTerminalPhase } from "../../../../src/runs/states.ts";
import { actor, runId } from "./fixtures.ts";
import { Play, session } from "./play.ts";

/** What happens next to a run: each step picks by number from what is there to pick. */
export interface Fate {
  readonly kind: "deliver" | "repeat" | "place" | "report" | "tick" | "command" | "stop" | "check" | "quarantine";
  readonly pick: number;
}

export const fates: fc.Arbitrary<readonly Fate[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("deliver" as const, "place" as const, "report" as const) },
      { weight: 2, arbitrary: fc.constantFrom("repeat" as const, "tick" as const, "check" as const) },
      { weight: 1, arbitrary: fc.constantFrom("command" as const, "stop" as const) },
    ),
    pick: fc.nat({ max: 1_000_000 }),
  }),
  { maxLength: 60, size: "max" },
);

const conditions = ["on_success", "on_failure", "on_skipped", "always"] as const;

/** Definitions of up to eight tasks, each depending on any of those before it. Names are not in the order of dependence. */
export const definitions: fc.Arbitrary<{ readonly timeout: string; readonly tasks: Readonly<Record<string, unknown>> }> = fc
  .array(
    fc.record({
      parents: fc.array(
        fc.record({
          back: fc.integer({ min: 1, max: 4 }),
          conditions: fc.uniqueArray(fc.constantFrom(...conditions), { minLength: 1, maxLength: 2 }),
        }),
        {
          maxLength: 3,
        },
      ),
      ignoreFailure: fc.boolean(),
      needsApproval: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      skip: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      retry: fc.integer({ min: 0, max: 1 }),
    }),
    { maxLength: 8, size: "max" },
  )
  .map((tasks) => {
    const name = (index: number) => `${"hgfedcba"[index]}${index}`;
    const named = tasks.map(({ parents, retry, ...flags }, index): [string, unknown] => {
      const known = parents.filter(({ back }) => back <= index);
      const depends = Object.fromEntries(known.map(({ back, conditions: list }) => [name(index - back), list]));
      return [name(index), { image: "x", depends, retry: { limit: retry }, ...flags }];
    });
    return { timeout: "3h", tasks: Object.fromEntries(named) };
  });

const outcomes: readonly Omit<AttemptOutcome, "finishedAt">[] = [
  { phase: "success", ranStep: true },
  { phase: "success", ranStep: false },
  { phase: "failed", reason: "exit_code", exitCode: 1, ranStep: true },
  { phase: "failed", reason: "executor_lost", ranStep: true },
  { phase: "failed", reason: "image", ranStep: false },
  { phase: "failed", reason: "config", ranStep: false },
  { phase: "stopped", reason: "stopped", ranStep: true },
];

/**
 * A run in a world of a pool and executors that keep their own books. Mail to the run is delivered late, twice and in any order;
 * `drain` then delivers everything, lets every executor report and time pass, until nothing is left to happen.
 */
export class World {
  readonly play: Play;
  readonly mail: RunMessage[] = [];
  readonly delivered: RunMessage[] = [];
  /** The pool's book: requests by task, and live assignments. */
  readonly requests = new Map<number, number>();
  readonly live = new Map<string, { stopped: boolean; begun: boolean; ended: boolean }>();
  /** Every task that the pool ever had two live assignments of (A4). */
  readonly doubled = new Set<number>();
  /** The run ended while the pool still had something of it. */
  endedTooSoon = false;
  #seen = 0;

  constructor(definition: Record<string, unknown>) {
    this.play = Play.queued(definition);
    this.mail.push({ type: "start" });
    this.#observe();
  }

  step({ kind, pick }: Fate): void {
    this.play.now += pick % 977;
    if (kind === "deliver") this.#deliver(pick);
    else if (kind === "place") this.#place(pick);
    else if (kind === "report") this.#report(pick);
    else this.#tell(this.#unsolicited(kind, pick));
  }

  #unsolicited(kind: Exclude<Fate["kind"], "deliver" | "place" | "report">, pick: number): RunMessage | undefined {
    switch (kind) {
      case "repeat":
        return choose(this.delivered, pick);
      case "tick":
        this.play.now += (pick % 400) * 60_000;
        return { type: "tick" };
      case "stop":
        return { type: "stop", by: "ann", force: pick % 3 === 0 };
      case "command":
        return choose(this.#commands(), pick);
      case "check":
        return choose(this.#checks(), pick);
      case "quarantine":
        return { type: "quarantine", reason: "planted" };
    }
  }

  /** Lets everything happen that is owed; true if the run has ended by then, and nobody has anything of it left. */
  drain(): boolean {
    for (let round = 0; round < 2000; round++) {
      if (this.mail.length > 0) this.#deliver(0);
      else if (this.requests.size > 0) this.#place(0);
      else if (this.#unreported().length > 0) this.#report(0);
      else if (isTerminalPhase(this.play.run.head.phase)) return this.live.size === 0;
      else if (!this.#tickWhenDue()) return false;
    }
    return false;
  }

  /** False if the run waits for nothing, so that it would wait for ever. */
  #tickWhenDue(): boolean {
    const due = actor.deadline(this.play.state);
    if (due === undefined) return false;
    this.play.now = Math.max(this.play.now, due);
    this.#tell({ type: "tick" });
    return true;
  }

  #deliver(pick: number): void {
    const message = choose(this.mail, pick);
    if (!message) return;
    this.mail.splice(this.mail.indexOf(message), 1);
    this.delivered.push(message);
    this.#tell(message);
  }

  #place(pick: number): void {
    const request = choose([...this.requests], pick);
    if (!request) return;
    const [task, attempt] = request;
    this.requests.delete(task);
    if (pick % 7 === 6) {
      this.mail.push({ type: "queue-timeout", task, attempt });
      return;
    }
    const assignment = assignmentId({ runId, task, attempt, session });
    for (const other of this.live.keys()) if (parseAssignmentId(other)?.task === task) this.doubled.add(task);
    this.live.set(assignment, { stopped: false, begun: false, ended: false });
    this.mail.push({ type: "assigned", task, attempt, assignment, executor: `executor-${pick % 3}` });
  }

  #unreported(): readonly string[] {
    return [...this.live].filter(([, { ended }]) => !ended).map(([assignment]) => assignment);
  }

  #report(pick: number): void {
    const assignment = choose(this.#unreported(), pick);
    const entry = assignment === undefined ? undefined : this.live.get(assignment);
    if (assignment === undefined || !entry) return;
    if (!entry.begun && pick % 3 === 1) {
      entry.begun = true;
      this.mail.push({ type: "attempt-started", assignment, at: this.play.now });
      return;
    }
    entry.ended = true;
    const finishedAt = this.play.now;
    const isStopped = entry.stopped && pick % 2 === 0;
    const outcome = isStopped ? { phase: "stopped" as const, ranStep: entry.begun } : choose(outcomes, pick);
    if (!outcome) return;
    const startedAt = entry.begun || outcome.ranStep ? { startedAt: finishedAt } : {};
    this.mail.push({
      type: "attempt-ended",
      assignment,
      executor: "executor-9",
      pool: "default",
      outcome: { ...outcome, ...startedAt, finishedAt },
    });
  }

  #commands(): readonly RunMessage[] {
    const tasks = this.play.run.graph.tasks.map(({ name }) => name);
    return [
      { type: "cancel", by: "ann" },
      ...tasks.map((task) => ({ type: "approve", task, by: "ann" }) as const),
      ...tasks.map((task) => ({ type: "reject", task, by: "ann" }) as const),
    ];
  }

  #checks(): readonly RunMessage[] {
    return [
      { type: "check-holder", root: "/project/web" },
      ...[...this.requests].map(([task, attempt]) => ({ type: "check-request", task, attempt, pool: "default" }) as const),
      ...[...this.live.keys()].map(
        (assignment) => ({ type: "check-assignment", assignment, executor: "executor-9", pool: "default" }) as const,
      ),
    ];
  }

  #tell(message: RunMessage | undefined): void {
    if (message) this.play.tell(message);
    this.#observe();
  }

  /** The pool and the executors take note of what the run has sent since the last time. */
  #observe(): void {
    const seen = this.#seen;
    this.#seen = this.play.effects.length;
    for (const effect of this.play.effects.slice(seen)) {
      if (effect.type === "send" && effect.to.kind === "pool") this.#poolHears(PoolMessage.parse(effect.message));
      if (effect.type === "stop-assignment") {
        const entry = this.live.get(effect.assignment);
        if (entry) entry.stopped = true;
      }
    }
    if (isTerminalPhase(this.play.run.head.phase) && this.requests.size + this.live.size > 0) this.endedTooSoon = true;
  }

  #poolHears(message: PoolMessage): void {
    switch (message.type) {
      case "request":
        this.requests.set(message.task, message.attempt);
        return;
      case "withdraw":
        if (this.requests.get(message.task) === message.attempt) this.requests.delete(message.task);
        if (!this.#isPlaced(message)) this.mail.push({ type: "withdrawn", task: message.task, attempt: message.attempt });
        return;
      case "release":
        this.live.delete(message.assignment);
        return;
      default:
        throw new Error(`a run does not send ${message.type}`);
    }
  }

  #isPlaced({ task, attempt }: { readonly task: number; readonly attempt: number }): boolean {
    return this.live.has(assignmentId({ runId, task, attempt, session }));
  }
}

function choose<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % items.length];
}
