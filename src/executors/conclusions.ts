import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { parseAssignmentId } from "../ids.ts";
import type { AttemptOutcome } from "../runs/outcome.ts";
import type { Driver } from "./driver.ts";
import type { Report } from "./report.ts";
import type { ReportSpool } from "./report-spool.ts";

const firstPauseMs = 500;
const maxPauseMs = 30_000;

export interface ConclusionsOptions {
  readonly executor: string;
  readonly pool: string;
  readonly driver: Pick<Driver, "remove">;
  readonly spool: ReportSpool;
  readonly send: (report: Report) => Promise<void>;
  /** A report that its run has not handled by then is told again, in case it was rolled back. */
  readonly resendAfterMs: number;
  readonly monotonicNow: () => number;
  /** The executor leaves: what is not done yet is done by its next process. */
  readonly leave: AbortSignal;
  readonly log: Logger;
}

/** Sees ended attempts off: report on disk, pod removed, run told, until the run has handled it. */
export interface Conclusions {
  /** Tells a run something that need not survive this process. Never rejects: what is not delivered is told again. */
  readonly tell: (report: Report) => Promise<void>;
  readonly conclude: (assignment: string, outcome: AttemptOutcome) => Promise<void>;
  /** A report that is kept and due to be told again; undefined if there is none. */
  readonly findDue: (assignment: string) => Report | undefined;
  /** Tells a kept report again, once more making sure that its pod is gone. */
  readonly repeat: (report: Report) => Promise<void>;
  /** The run has handled the report: it is gone from `todo`. */
  readonly settle: (assignment: string) => void;
  /** Every kept report is due at once. */
  readonly makeAllDue: () => void;
}

export function createConclusions(options: ConclusionsOptions): Conclusions {
  const { driver, spool, leave, log, monotonicNow } = options;
  const sentAt = new Map<string, number>();

  const tell = async (report: Report) => {
    sentAt.set(report.assignment, monotonicNow());
    await options.send(report).catch((err: unknown) => {
      if (!leave.aborted) log.warn({ err, ...fieldsOf(report) }, "a report was not delivered; it is repeated");
    });
  };

  const removePod = async (assignment: string) => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      try {
        return await driver.remove(assignment, 0, leave);
      } catch (err) {
        leave.throwIfAborted();
        log.error({ err, ...fieldsOf({ assignment }) }, "a pod could not be removed yet");
        await delay(pauseMs, undefined, { signal: leave });
      }
    }
  };

  return {
    tell,
    // Safe on disk first, then the pod goes, then the run is told: so a report always means that no pod is left.
    conclude: async (assignment, outcome) => {
      const { executor, pool } = options;
      const report = { assignment, message: JSON.stringify({ type: "attempt-ended", assignment, outcome, executor, pool }) };
      await spool.keep(report);
      await removePod(assignment);
      await tell(report);
    },
    findDue: (assignment) => {
      const isDue = monotonicNow() - (sentAt.get(assignment) ?? Number.NEGATIVE_INFINITY) >= options.resendAfterMs;
      return isDue ? spool.find(assignment) : undefined;
    },
    repeat: async (report) => {
      await removePod(report.assignment);
      await tell(report);
    },
    settle: (assignment) => {
      spool.settle(assignment);
      sentAt.delete(assignment);
    },
    makeAllDue: () => sentAt.clear(),
  };
}

function fieldsOf({ assignment }: Pick<Report, "assignment">) {
  return { assignment, runId: parseAssignmentId(assignment)?.runId };
}
