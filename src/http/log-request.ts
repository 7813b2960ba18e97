import { z } from "@hono/zod-openapi";
import { RE2JS } from "re2js";
import type { FoundRun } from "../archive/find-run.ts";
import { logState } from "../archive/log-state.ts";
import { OstlerError } from "../errors.ts";
import type { LogReader } from "../ost/log-reader.ts";
import type { LogState } from "../ost/log-subject.ts";
import { isTerminalStatus } from "../runs/states.ts";
import type { TaskView } from "../runs/view.ts";
import type { FindRun } from "./find-run.ts";
import { joinLogs, type LogText, logOfStep } from "./log-text.ts";
import { Flag, runNotFound } from "./parameters.ts";

const whole = (min: number) => z.coerce.number({ error: "expected a whole number" }).int().min(min).max(Number.MAX_SAFE_INTEGER);

export const LogQuery = z.strictObject({
  step: whole(0).optional().openapi({ description: "By its position from 0; without it, setup and all steps, one after another." }),
  setup: Flag.optional(),
  service: whole(1).optional().openapi({ description: "The log of a container after the first, by its position from 1." }),
  attempt: whole(1).optional().openapi({ description: "From 1; the last unless given." }),
  offset: whole(0).optional().openapi({ description: "First byte of the stored text to give." }),
  tail: whole(1).max(1_000_000).optional().openapi({ description: "Only the last lines." }),
  timestamps: Flag.optional(),
  grep: z.string().max(1_000).optional().openapi({ description: "Only lines that match this regular expression (RE2)." }),
  follow: Flag.optional().openapi({ description: "An event stream that goes on until the log's end." }),
});
export type LogQuery = z.infer<typeof LogQuery>;

/** The pattern's matcher; throws `bad_request`. RE2 takes time linear in the text, whatever the pattern. */
export function matcherOf(pattern: string): (line: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern);
    return (line) => compiled.matcher(line).find();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "not a regular expression";
    throw new OstlerError("bad_request", `query parameter grep: ${why}`, { cause });
  }
}

/** The task as the run shows it; throws `task_not_found`. */
export function taskOf(run: FoundRun, task: string): TaskView {
  const view = Object.hasOwn(run.view.tasks, task) ? run.view.tasks[task] : undefined;
  if (view) return view;
  const runId = run.view.id;
  throw new OstlerError("task_not_found", `the run ${runId} has no task "${task.slice(0, 100)}"`, {
    details: { runId, task: task.slice(0, 100) },
  });
}

/** What logs are asked for, by the names under which they are stored: `setup`, steps' numbers, `service-` and a number. */
function stepsOf({ step, setup, service }: LogQuery, names: readonly string[], services: number): readonly string[] {
  if (service !== undefined) {
    if (setup || step !== undefined) throw new OstlerError("bad_request", "query parameter service: not together with `step` or `setup`");
    if (service <= services) return [`service-${service}`];
    throw new OstlerError("step_not_found", `the task has ${services} services, counted from 1`, { details: { services } });
  }
  if (setup && step !== undefined) throw new OstlerError("bad_request", "query parameter setup: not together with `step`");
  if (setup) return ["setup"];
  if (step === undefined) return ["setup", ...names.map((_, index) => String(index))];
  if (step < names.length) return [String(step)];
  throw new OstlerError("step_not_found", `the task has ${names.length} steps, counted from 0`, { details: { steps: names.length } });
}

function titleOf(step: string, names: readonly string[]): string {
  return step === "setup" || step.startsWith("service-") ? step : `step ${step}: ${names[Number(step)] ?? ""}`;
}

/** What `logState` does not say: a task that has ended without ever having this attempt will have no log of it. */
function stateOf(run: FoundRun, log: Parameters<typeof logState>[1]): LogState {
  const state = logState(run, log);
  const task = run.view.tasks[log.task];
  const isOver = state.type === "waiting" && task !== undefined && isTerminalStatus(task.status);
  return isOver ? { type: "ended", complete: true, lost: false } : state;
}

export interface LogRequestDeps {
  readonly reader: LogReader;
  readonly findRun: FindRun;
}

/** The log that a request is about. Throws 404 with a code of its own for an unknown run, task, attempt and step. */
export async function findLog(
  { reader, findRun }: LogRequestDeps,
  where: { readonly runId: string; readonly task: string },
  query: LogQuery,
): Promise<LogText> {
  const { runId, task } = where;
  const run = await findRun(runId);
  if (!run) throw runNotFound(runId);
  const view = taskOf(run, task);
  const last = Math.max(1, view.attempt);
  const attempt = query.attempt ?? last;
  if (attempt > last) throw new OstlerError("attempt_not_found", `the task's last attempt is ${last}`, { details: { last } });
  const names = (run.stored.definition.tasks[task]?.steps ?? []).map((step) => ("name" in step && step.name) || step.type);

  const services = Math.max(0, (run.stored.definition.tasks[task]?.runtime.containers.length ?? 1) - 1);

  const logs = stepsOf(query, names, services).map((step) => {
    const state = async () => {
      const now = await findRun(runId);
      if (!now) throw runNotFound(runId);
      return stateOf(now, { task, attempt, step });
    };
    // A kept task's logs are those of the run that really ran it.
    const place = { runId: view.reusedFrom?.runId ?? runId, task, attempt, step };
    return { title: titleOf(step, names), log: logOfStep(reader, { ...place, state }) };
  });
  const [only, ...others] = logs;
  return only && others.length === 0 ? only.log : joinLogs(logs);
}
