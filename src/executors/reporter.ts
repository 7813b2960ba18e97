import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { parseAssignmentId, parseRunId } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import type { Refusal } from "../redis/scripts/incarnation-reply.ts";
import { reportAssignments } from "../redis/scripts/report-assignments.ts";
import { createBatcher } from "./batcher.ts";
import type { Report } from "./report.ts";

/** One inbox entry must stay a fraction of an owner's batch. */
const maxLetters = 200;
const maxCallLength = 256 * 1024;
const firstPauseMs = 50;
const maxPauseMs = 2_000;

export interface ReporterOptions {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly executor: string;
  readonly incarnation: string;
  readonly confirm: Confirm;
  readonly log: Logger;
  readonly onRefused: (why: Refusal) => void;
}

export interface Reporter {
  /** Resolves once the report is in its run's inbox; tries until `close`. */
  readonly send: (report: Report) => Promise<void>;
  readonly close: () => void;
}

/** Delivers reports in batches, one call at a time, in the order in which they were given. */
export function createReporter(options: ReporterOptions): Reporter {
  const closed = new AbortController();

  const deliver = async (reports: readonly Report[]) => {
    const mail = byShard(reports);
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      closed.signal.throwIfAborted();
      try {
        const reply = await reportAssignments(options.redis, options.keys, { ...options, mail });
        if (reply.type === "reported") return await options.confirm();
        closed.abort();
        options.onRefused(reply.type);
      } catch (err) {
        options.log.warn({ err, executorId: options.executor }, "reports could not be delivered yet");
        await delay(pauseMs, undefined, { signal: closed.signal });
      }
    }
  };
  const batcher = createBatcher<Report>(maxLetters, async (reports) => {
    for (const part of partsOf(reports)) await deliver(part);
  });
  return { send: batcher.add, close: () => closed.abort() };
}

/** Outputs make some reports long: no call carries more than `maxCallLength`, unless a single report does. */
function* partsOf(reports: readonly Report[]): Generator<readonly Report[]> {
  let part: Report[] = [];
  let length = 0;
  for (const report of reports) {
    if (part.length > 0 && length + report.message.length > maxCallLength) {
      yield part;
      part = [];
      length = 0;
    }
    part.push(report);
    length += report.message.length;
  }
  yield part;
}

/** Letters as JSON texts, by shard. */
function byShard(reports: readonly Report[]): ReadonlyMap<number, readonly string[]> {
  const mail = new Map<number, string[]>();
  for (const { assignment, message } of reports) {
    const runId = parseAssignmentId(assignment)?.runId ?? "";
    const shard = parseRunId(runId)?.shard;
    if (shard === undefined) throw new Error(`not an assignment: ${assignment}`);
    const letters = mail.get(shard) ?? [];
    letters.push(`["run/${runId}",${message}]`);
    mail.set(shard, letters);
  }
  return mail;
}
