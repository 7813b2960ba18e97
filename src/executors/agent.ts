import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { parseAssignmentId } from "../ids.ts";
import type { Verdict } from "../redis/scripts/accept-assignments.ts";
import type { AttemptOutcome } from "../runs/outcome.ts";
import { type AttemptPorts, type RunningAttempt, runAttempt } from "./attempt.ts";
import type { Driver } from "./driver.ts";
import type { Halt } from "./halts.ts";
import type { ReportSpool } from "./report-spool.ts";
import type { Report } from "./reporter.ts";
import type { RunPlan } from "./run-plan.ts";

/** What a quick attempt does is told with its end; only a longer one reports its begin and steps. */
const firstProgressMs = 250;
const progressEveryMs = 1_000;
const resendAfterMs = 15_000;
const removePauseMs = 500;
const maxRemovePauseMs = 30_000;

export interface AgentOptions {
  readonly incarnation: string;
  readonly ttlMs: number;
  readonly driver: Driver;
  readonly ports: AttemptPorts;
  readonly spool: ReportSpool;
  readonly planOf: (runId: string) => Promise<RunPlan | undefined>;
  readonly accept: (assignment: string) => Promise<void>;
  readonly send: (report: Report) => Promise<void>;
  readonly readTodo: () => Promise<Readonly<Record<string, string>>>;
  /** Whether new pods may be started now. */
  readonly mayStart: () => boolean;
  readonly monotonicNow: () => number;
  readonly log: Logger;
}

interface Entry {
  readonly halt: AbortController;
  readonly leave: AbortController;
  running: RunningAttempt | undefined;
  /** Reads of `todo` in a row that did not name it. */
  missing: number;
  done: Promise<void>;
}

/** Does what `todo` says: accepts, runs, stops, reports, and repeats reports until they are handled. */
export interface Agent {
  /** Takes a job's assignments on; resolves once they are accepted or refused. */
  readonly take: (assignments: readonly string[]) => Promise<void>;
  /** Compares with `todo`; calls that come meanwhile are one more look. */
  readonly look: () => Promise<void>;
  readonly onVerdict: (assignment: string, verdict: Verdict, asked: number) => void;
  readonly runningIds: () => readonly string[];
  /** Tells the pods that this executor was alive at `at` (ms, this host's clock). */
  readonly touchPods: (at: number) => void;
  /** After Redis may have forgotten something: everything that runs is told again. */
  readonly tellAgain: () => void;
  readonly haltAll: (halt: Halt) => void;
  /** No new assignments from now on. */
  readonly drain: () => void;
  readonly idle: () => Promise<void>;
  /** Leaves all pods as they are, for whoever attaches next. */
  readonly leaveAll: () => Promise<void>;
}

export function createAgent(options: AgentOptions): Agent {
  const { driver, ports, spool, incarnation, log, monotonicNow } = options;
  const entries = new Map<string, Entry>();
  const sentAt = new Map<string, number>();
  const closing = new AbortController();
  let draining = false;
  let looking: Promise<void> | undefined;
  let lookAgain = false;

  const logFields = (assignment: string) => ({ assignment, runId: parseAssignmentId(assignment)?.runId });

  const sendReport = (assignment: string, message: unknown) => {
    sentAt.set(assignment, monotonicNow());
    return options.send({ assignment, message }).catch((err: unknown) => {
      if (!closing.signal.aborted) log.warn({ err, ...logFields(assignment) }, "a report was not delivered; it is repeated");
    });
  };

  /** The end: safe on disk first, then the pod goes, then the run is told; so a report always means that no pod is left. */
  const conclude = async (assignment: string, outcome: AttemptOutcome, graceMs: number) => {
    const message = { type: "attempt-ended", assignment, outcome };
    await spool.keep({ assignment, message });
    await removePod(assignment, graceMs);
    void sendReport(assignment, message);
  };

  const removePod = async (assignment: string, graceMs: number) => {
    for (let pauseMs = removePauseMs; ; pauseMs = Math.min(pauseMs * 2, maxRemovePauseMs)) {
      try {
        await driver.remove(assignment, graceMs, closing.signal);
        return;
      } catch (err) {
        closing.signal.throwIfAborted();
        log.error({ err, ...logFields(assignment) }, "a pod could not be removed yet");
        await delay(pauseMs, undefined, { signal: closing.signal });
      }
    }
  };

  const run = async (assignment: string, entry: Entry, facts: { readonly resumed: boolean; readonly startBy: number }) => {
    const parts = parseAssignmentId(assignment);
    const plan = parts && (await options.planOf(parts.runId));
    const node = parts && plan?.graph.tasks[parts.task];
    if (!plan || !node) {
      await conclude(assignment, failure("internal", "the run's definition is not there", ports.now()), 0);
      return;
    }
    const job = { assignment, attempt: parts.attempt, plan, node, ...facts };
    const progress = reportProgress(assignment, entry);
    const running = runAttempt(ports, job, { halt: entry.halt.signal, leave: entry.leave.signal }, progress.changed);
    entry.running = running;
    try {
      const outcome = await running.ended;
      await progress.end();
      await conclude(assignment, outcome, 0);
    } finally {
      await progress.end();
    }
  };

  const start = (assignment: string, facts: { readonly resumed: boolean; readonly startBy: number }) => {
    if (entries.has(assignment)) return;
    const entry: Entry = {
      halt: new AbortController(),
      leave: new AbortController(),
      running: undefined,
      missing: 0,
      done: Promise.resolve(),
    };
    entries.set(assignment, entry);
    entry.done = run(assignment, entry, facts)
      .catch((err: unknown) => {
        if (!entry.leave.signal.aborted && !closing.signal.aborted)
          log.error({ err, ...logFields(assignment) }, "an attempt failed unexpectedly");
      })
      .finally(() => entries.delete(assignment));
  };

  /** Tells begin and steps of an attempt that takes a while: at once when something changes, but at most every second. */
  const reportProgress = (assignment: string, entry: Entry) => {
    let timer: NodeJS.Timeout | undefined;
    let lastAt = monotonicNow() - progressEveryMs + firstProgressMs;
    let sending: Promise<void> | undefined;
    let toldStart = false;
    const tell = async () => {
      const { startedAt, setup, steps } = entry.running?.progress() ?? {};
      lastAt = monotonicNow();
      if (startedAt === undefined) return;
      if (!toldStart) await sendReport(assignment, { type: "attempt-started", assignment, at: startedAt });
      toldStart = true;
      await sendReport(assignment, { type: "attempt-progress", assignment, setup, steps });
    };
    const changed = () => {
      if (timer !== undefined || sending !== undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          sending = tell().finally(() => {
            sending = undefined;
          });
        },
        Math.max(0, lastAt + progressEveryMs - monotonicNow()),
      );
    };
    return {
      changed,
      end: async () => {
        clearTimeout(timer);
        await sending;
      },
    };
  };

  const onVerdict = (assignment: string, verdict: Verdict, asked: number) => {
    if (verdict === "refused") return;
    start(assignment, { resumed: verdict === "held", startBy: asked + options.ttlMs });
  };

  /** A `stop` for something that does not run here: whatever is left of it goes, and the run hears that it is gone. */
  const concludeAbsent = (assignment: string) => {
    const entry: Entry = {
      halt: new AbortController(),
      leave: new AbortController(),
      running: undefined,
      missing: 0,
      done: Promise.resolve(),
    };
    entries.set(assignment, entry);
    entry.done = conclude(assignment, failure("pod_lost", "the executor was told to stop it and has no pod of it", ports.now()), 0)
      .catch((err: unknown) => log.warn({ err, ...logFields(assignment) }, "a stopped assignment could not be concluded"))
      .finally(() => entries.delete(assignment));
  };

  const handle = async (assignment: string, wanted: string) => {
    const entry = entries.get(assignment);
    if (entry) {
      entry.missing = 0;
      if (wanted === "stop") entry.halt.abort({ type: "stop" } satisfies Halt);
      return;
    }
    const report = spool.find(assignment);
    if (report) {
      const last = sentAt.get(assignment) ?? Number.NEGATIVE_INFINITY;
      if (monotonicNow() - last > resendAfterMs) {
        await removePod(assignment, 0);
        void sendReport(assignment, report.message);
      }
      return;
    }
    if (wanted === "stop") concludeAbsent(assignment);
    else if (wanted === `run:${incarnation}` && !draining && options.mayStart()) await options.accept(assignment);
  };

  const lookOnce = async () => {
    const todo = await options.readTodo();
    const wanted = Object.entries(todo);
    for (const assignment of [...spool.unsettled()]) {
      if (todo[assignment] !== undefined || entries.has(assignment)) continue;
      spool.settle(assignment);
      sentAt.delete(assignment);
    }
    for (const [assignment, entry] of entries) {
      if (todo[assignment] !== undefined) continue;
      entry.missing += 1;
      // Twice: it may have been accepted just after this look began. Nobody wants it any more.
      if (entry.missing >= 2) entry.halt.abort({ type: "stop" } satisfies Halt);
    }
    await Promise.all(wanted.map(([assignment, what]) => handle(assignment, what)));
  };

  const look = async (): Promise<void> => {
    if (looking !== undefined) {
      lookAgain = true;
      return looking;
    }
    looking = (async () => {
      do {
        lookAgain = false;
        await lookOnce();
      } while (lookAgain);
    })().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  return {
    look,
    onVerdict,
    take: async (assignments) => {
      if (draining || !options.mayStart()) return;
      const fresh = assignments.filter((assignment) => !entries.has(assignment) && !spool.find(assignment));
      await Promise.all(fresh.map((assignment) => options.accept(assignment)));
    },
    runningIds: () => [...entries.keys()],
    touchPods: (at) => {
      for (const [assignment, entry] of entries) {
        entry.running
          ?.pod()
          ?.touch(at, entry.leave.signal)
          .catch((err: unknown) => log.warn({ err, ...logFields(assignment) }, "a pod could not be touched"));
      }
    },
    tellAgain: () => {
      sentAt.clear();
      for (const [assignment, entry] of entries) {
        const { startedAt, setup, steps } = entry.running?.progress() ?? {};
        if (startedAt === undefined) continue;
        void sendReport(assignment, { type: "attempt-started", assignment, at: startedAt });
        void sendReport(assignment, { type: "attempt-progress", assignment, setup, steps });
      }
    },
    haltAll: (halt) => {
      for (const entry of entries.values()) entry.halt.abort(halt);
    },
    drain: () => {
      draining = true;
    },
    idle: async () => {
      while (entries.size > 0) await Promise.all([...entries.values()].map((entry) => entry.done));
    },
    leaveAll: async () => {
      draining = true;
      closing.abort();
      for (const entry of entries.values()) entry.leave.abort(new Error("the executor leaves"));
      await Promise.all([...entries.values()].map((entry) => entry.done));
    },
  };
}

function failure(reason: "internal" | "pod_lost", message: string, now: number): AttemptOutcome {
  return { phase: "failed", reason, message, finishedAt: now, ranStep: false };
}
