import { z } from "zod";
import { decodeTask } from "./decode-task.ts";
import { encodeTask } from "./encode-task.ts";
import { codeOf, runPhases, runReasons, runResults, stopCauses } from "./record-codes.ts";
import { type Cell, defined, RowReader, row } from "./record-row.ts";
import type { Run, RunHead } from "./run.ts";
import { pending, type TaskState } from "./task.ts";

/**
 * Up to this many tasks a run's state is one text; above, each task has a field of its own, so that a commit writes only those that
 * changed. A lower limit costs small runs a key and its overhead, a higher one makes each commit of a middling run longer.
 */
export const maxInlineTasks = 64;

const version = 1;

/** A run's state as Redis holds it: version, head, and the tasks unless they are kept apart. Golden files pin each version. */
const StateText = z.object({ v: z.literal(version), h: z.array(z.unknown()), t: z.array(z.unknown()).optional() });

/** The text of a run's head and, of a run that is small enough, its tasks, of which `taskTexts` are the texts. */
export function encodeState({ head, facts }: Pick<Run, "head" | "facts">, taskTexts: readonly string[] | undefined): string {
  const headText = JSON.stringify(encodeHead(head, facts.createdAt));
  return `{"v":${version},"h":${headText}${taskTexts ? `,"t":[${taskTexts.join(",")}]` : ""}}`;
}

/** The text of one task, `0` for a pending one. */
export function encodeTaskText(task: TaskState, createdAt: number): string {
  return task.stage === "pending" ? "0" : JSON.stringify(encodeTask(task, createdAt));
}

/**
 * The run whose state was encoded; `fields` holds the tasks of a big one by index. A state that does not belong to the definition,
 * or is of a version that this process does not know, throws.
 */
export function decodeRun(given: Pick<Run, "stored" | "facts" | "graph">, state: string, fields: Readonly<Record<string, string>>): Run {
  const { facts, graph } = given;
  const { h, t } = StateText.parse(JSON.parse(state));
  const head = decodeHead(new RowReader(h), facts.createdAt);
  if (graph.tasks.length <= maxInlineTasks) {
    if (t?.length !== graph.tasks.length) throw new Error(`a corrupt record: ${t?.length} tasks instead of ${graph.tasks.length}`);
    return { ...given, head, tasks: t.map((record) => (record === 0 ? pending : decodeTask(record, facts.createdAt))) };
  }
  return { ...given, head, tasks: graph.tasks.map(({ index }) => decodeTaskText(fields[index], facts.createdAt)) };
}

/** The state of one task of a big run from its field; a task without a field is pending. */
export function decodeTaskText(text: string | undefined, createdAt: number): TaskState {
  return text === undefined || text === "0" ? pending : decodeTask(JSON.parse(text), createdAt);
}

function encodeHead(head: RunHead, createdAt: number): Cell {
  const since = (at: number | undefined) => (at === undefined ? undefined : at - createdAt);
  const { stop, cancellation, quarantine, deletion } = head;
  return row(
    codeOf(runPhases, head.phase),
    codeOf(runResults, head.result),
    head.seq,
    head.created ? 1 : 0,
    since(head.startedAt),
    since(head.finishedAt),
    head.reason && codeOf(runReasons, head.reason),
    head.timedOut && 1,
    stop && row(since(stop.at), stop.by, Number(stop.force), codeOf(stopCauses, stop.why), stop.requestId),
    cancellation && row(0, cancellation.requestId),
    quarantine && row(since(quarantine.at), quarantine.why),
    deletion && row(since(deletion.at), deletion.by),
  );
}

function decodeHead(reader: RowReader, createdAt: number): RunHead {
  const time = (from: RowReader, at: number) => from.number(at) + createdAt;
  return defined({
    phase: reader.name(0, runPhases),
    result: reader.name(1, runResults),
    seq: reader.number(2),
    created: reader.number(3) === 1,
    startedAt: reader.optional(4, (at) => time(reader, at)),
    finishedAt: reader.optional(5, (at) => time(reader, at)),
    reason: reader.optional(6, (at) => reader.name(at, runReasons)),
    timedOut: reader.flag(7),
    stop: reader.optional(8, (at) => {
      const stop = reader.row(at);
      const requestId = stop.optional(4, (cell) => stop.text(cell));
      return {
        at: time(stop, 0),
        by: stop.text(1),
        force: stop.number(2) === 1,
        why: stop.name(3, stopCauses),
        ...(requestId !== undefined && { requestId }),
      };
    }),
    cancellation: reader.optional(9, (at) => {
      const cancellation = reader.row(at);
      return defined({ requestId: cancellation.optional(1, (cell) => cancellation.text(cell)) });
    }),
    quarantine: reader.optional(10, (at) => ({ at: time(reader.row(at), 0), why: reader.row(at).text(1) })),
    deletion: reader.optional(11, (at) => ({ at: time(reader.row(at), 0), by: reader.row(at).text(1) })),
  });
}
