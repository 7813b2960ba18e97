import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { parseAssignmentId } from "../ids.ts";
import type { Verdict } from "../redis/scripts/accept-assignments.ts";
import type { AttemptOutcome } from "../runs/outcome.ts";
import { type AttemptJob, type AttemptPorts, type RunningAttempt, runAttempt } from "./attempt.ts";
import { createConclusions } from "./conclusions.ts";
import { createHalts, type HaltControl } from "./halts.ts";
import { createProgressReports, type ProgressReports } from "./progress-reports.ts";
import type { Report } from "./report.ts";
import type { ReportSpool } from "./report-spool.ts";
import type { RunPlan } from "./run-plan.ts";

const mayStartPollMs = 100;

export interface AgentOptions {
  readonly executor: string;
  readonly pool: string;
  readonly incarnation: string;
  readonly ttlMs: number;
  readonly fenceMs: number;
  readonly resendAfterMs: number;
  readonly ports: AttemptPorts;
  readonly spool: ReportSpool;
  readonly planOf: (runId: string) => Promise<RunPlan | undefined>;
  /** Resolves once `onVerdict` was told. */
  readonly accept: (assignment: string) => Promise<void>;
  readonly send: (report: Report) => Promise<void>;
  readonly readTodo: () => Promise<Readonly<Record<string, string>>>;
  /** Whether new pods may be started now. */
  readonly mayStart: () => boolean;
  readonly monotonicNow: () => number;
  readonly log: Logger;
}

/** An assignment that this process is busy with. */
interface Entry {
  readonly halts: HaltControl;
  running: RunningAttempt | undefined;
  progress: ProgressReports | undefined;
  /** Its pod starts no step later than this (ms, this host's clock), unless it was touched. */
  startBy: number;
  /** When (ms, this host's clock) its pod was last touched by this process. */
  touchedAt: number | undefined;
  /** Looks in a row at a `todo` that did not name it. */
  missing: number;
  done: Promise<void>;
}

type Beginning = Pick<AttemptJob, "origin" | "startBy">;

/** Does what `todo` says: accepts, runs, stops, reports, and repeats reports until they are handled. */
export interface Agent {
  /** Takes a job's assignments on; resolves once they are accepted or refused. */
  readonly take: (assignments: readonly string[]) => Promise<void>;
  /** Compares with `todo`; calls that come meanwhile are one more look. */
  readonly look: () => Promise<void>;
  readonly onVerdict: (assignment: string, verdict: Verdict, askedAt: number) => void;
  /** What this process is busy with. */
  readonly assignments: () => readonly string[];
  /** Tells the pods, where it is time to, that this executor was alive at `at` (ms, this host's clock). */
  readonly touchPods: (at: number) => void;
  /** Accepts nothing until `resume`: Redis may have forgotten what was reported, and ask for it again. */
  readonly suspend: () => void;
  /** Whatever runs, or is reported and not handled, is told again. */
  readonly resume: () => void;
  /** Others may soon run what this process runs: all of it is stopped. */
  readonly fence: () => void;
  /** No new assignments from now on. */
  readonly drain: () => void;
  /** Resolves once this process is busy with nothing. */
  readonly idle: () => Promise<void>;
  /** Leaves all pods as they are, for whoever attaches next. */
  readonly leaveAll: () => Promise<void>;
}

export function createAgent(options: AgentOptions): Agent {
  const { ports, spool, incarnation, log, monotonicNow } = options;
  const entries = new Map<string, Entry>();
  const leaving = new AbortController();
  // Every attempt may wait for it.
  setMaxListeners(0, leaving.signal);
  const conclusions = createConclusions({ ...options, driver: ports.driver, leave: leaving.signal });
  let isDraining = false;
  let isSuspended = false;

  const fieldsOf = (assignment: string) => ({ assignment, runId: parseAssignmentId(assignment)?.runId });

  const run = async (assignment: string, entry: Entry, beginning: Beginning): Promise<AttemptOutcome> => {
    const parts = parseAssignmentId(assignment);
    const plan = parts && (await options.planOf(parts.runId));
    const node = parts && plan?.graph.tasks[parts.task];
    if (!plan || !node) return failure("internal", "the run's definition is not there", ports.now());
    while (beginning.origin === "accepted" && !options.mayStart() && !entry.halts.halt.aborted) {
      await delay(mayStartPollMs, undefined, { signal: entry.halts.leave });
    }
    const progress = createProgressReports({
      assignment,
      monotonicNow,
      progress: () => entry.running?.progress(),
      send: (message) => conclusions.tell({ assignment, message: JSON.stringify(message) }),
    });
    const job = { assignment, attempt: parts.attempt, plan, node, ...beginning };
    // The pod of a predecessor may be about to give up.
    entry.startBy = beginning.origin === "accepted" ? beginning.startBy : 0;
    entry.progress = progress;
    entry.running = runAttempt(ports, job, { halts: entry.halts, onProgress: progress.changed });
    try {
      return await entry.running.ended;
    } finally {
      await progress.end();
    }
  };

  /** Does one thing at a time for an assignment; what it is busy with already goes on. */
  const occupy = (assignment: string, work: (entry: Entry) => Promise<void>): Entry => {
    const known = entries.get(assignment);
    if (known) return known;
    const halts = createHalts(leaving.signal);
    const entry: Entry = {
      ...{ halts, running: undefined, progress: undefined },
      ...{ startBy: Number.POSITIVE_INFINITY, touchedAt: undefined, missing: 0, done: Promise.resolve() },
    };
    entries.set(assignment, entry);
    entry.done = work(entry)
      .catch((err: unknown) => {
        // Left to another process, or to the next look.
        if (!leaving.signal.aborted) log.error({ err, ...fieldsOf(assignment) }, "an assignment could not be seen to its end");
      })
      .finally(() => entries.delete(assignment));
    return entry;
  };

  const begin = (assignment: string, beginning: Beginning): Entry =>
    occupy(assignment, async (entry) => conclusions.conclude(assignment, await run(assignment, entry, beginning)));

  const stop = (entry: Entry) => entry.halts.stop({ type: "stop" });

  /** Old work must not be taken for new: not while Redis may have forgotten what was reported. */
  const mayAccept = () => !isDraining && !isSuspended && options.mayStart();

  const follow = async (assignment: string, wanted: string) => {
    const entry = entries.get(assignment);
    if (entry) entry.missing = 0;
    if (!entry && spool.find(assignment)) {
      const due = conclusions.findDue(assignment);
      if (due) occupy(assignment, () => conclusions.repeat(due));
    } else if (wanted === "stop") {
      // What does not run here may have a pod all the same, from a predecessor; else the run hears that there is none.
      stop(entry ?? begin(assignment, { origin: "unknown", startBy: 0 }));
    } else if (!entry && wanted === `run:${incarnation}` && mayAccept()) {
      await options.accept(assignment);
    }
  };

  const lookOnce = async () => {
    const read = Object.entries(await options.readTodo());
    const todo = new Map(read.filter(([assignment]) => parseAssignmentId(assignment) !== undefined));
    for (const assignment of [...spool.unsettled()]) {
      if (!todo.has(assignment) && !entries.has(assignment)) conclusions.settle(assignment);
    }
    for (const [assignment, entry] of entries) {
      if (todo.has(assignment)) continue;
      entry.missing += 1;
      // Twice: it may have been accepted just after this look began. Nobody wants it any more.
      if (entry.missing >= 2) stop(entry);
    }
    await Promise.all([...todo].map(([assignment, wanted]) => follow(assignment, wanted)));
  };

  return {
    look: oneAtATime(lookOnce),
    onVerdict: (assignment, verdict, askedAt) => {
      if (verdict !== "refused") begin(assignment, { origin: verdict, startBy: askedAt + options.ttlMs });
    },
    take: async (assignments) => {
      if (!mayAccept()) return;
      const fresh = assignments.filter((assignment) => !entries.has(assignment) && !spool.find(assignment));
      await Promise.all(fresh.map((assignment) => options.accept(assignment)));
    },
    assignments: () => [...entries.keys()],
    touchPods: (at) => {
      for (const [assignment, entry] of entries) {
        const pod = entry.running?.pod();
        if (!pod || !isTouchDue(entry, at, options)) continue;
        entry.touchedAt = at;
        pod.touch(at, entry.halts.leave).catch((err: unknown) => {
          entry.touchedAt = undefined;
          if (!leaving.signal.aborted) log.warn({ err, ...fieldsOf(assignment) }, "a pod could not be touched");
        });
      }
    },
    suspend: () => {
      isSuspended = true;
    },
    resume: () => {
      isSuspended = false;
      conclusions.makeAllDue();
      for (const entry of entries.values()) entry.progress?.tellAgain();
    },
    fence: () => {
      for (const entry of entries.values()) entry.halts.stop({ type: "fence" });
    },
    drain: () => {
      isDraining = true;
    },
    idle: async () => {
      while (entries.size > 0) await Promise.all([...entries.values()].map((entry) => entry.done));
    },
    leaveAll: async () => {
      isDraining = true;
      leaving.abort(new Error("the executor leaves its attempts to another process"));
      for (const entry of entries.values()) entry.halts.stop({ type: "leave" });
      await Promise.all([...entries.values()].map((entry) => entry.done));
    },
  };
}

/** Pods hear of their executor this many times within their fence time, at least. */
const touchesPerFence = 10;

/**
 * A pod that lives for seconds needs no touch at all; one that may still start a step hears in time that its executor lives,
 * since heartbeats come at least twice within a ttl.
 */
function isTouchDue({ startBy, touchedAt }: Entry, at: number, { ttlMs, fenceMs }: Pick<AgentOptions, "ttlMs" | "fenceMs">): boolean {
  return touchedAt === undefined ? at >= startBy - (3 / 4) * ttlMs : at - touchedAt >= fenceMs / touchesPerFence;
}

/** Calls that come while one is under way are one more, after it. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  return () => {
    again = true;
    running ??= (async () => {
      while (again) {
        again = false;
        await work();
      }
    })().finally(() => {
      running = undefined;
    });
    return running;
  };
}

function failure(reason: "internal", message: string, now: number): AttemptOutcome {
  return { phase: "failed", reason, message, finishedAt: now, ranStep: false };
}
