import { nearest } from "../nearest.ts";
import type { RunView, TaskView } from "../runs/view.ts";
import { exitCode } from "./exit-code.ts";
import { Failure, usage } from "./failure.ts";
import { parseReference, parseRunReference } from "./reference.ts";
import { quoted, referenceOf } from "./reference-text.ts";
import { resolveRun } from "./resolve-run.ts";
import type { Session } from "./session.ts";

/** The run that a command was given. */
export async function findRun({ client, signal }: Session, text: string): Promise<RunView> {
  const id = await resolveRun(parseRunReference(text), client.runs, signal);
  return client.runs.get(id, signal);
}

/** A run and, if the reference names one, a task of it. */
export interface Found {
  readonly run: RunView;
  readonly task: FoundTask | undefined;
  readonly step: string | undefined;
}

export interface FoundTask {
  readonly name: string;
  readonly view: TaskView;
}

export async function findTask({ client, signal }: Session, text: string): Promise<Found> {
  const { run: reference, task, step } = parseReference(text);
  const run = await client.runs.get(await resolveRun(reference, client.runs, signal), signal);
  return { run, task: task === undefined ? undefined : taskOf(run, task), step };
}

/** The task of that name; where there is none, a failure that names the nearest or what there is. */
export function taskOf(run: RunView, name: string): FoundTask {
  const view = Object.hasOwn(run.tasks, name) ? run.tasks[name] : undefined;
  if (view) return { name, view };
  const names = Object.keys(run.tasks);
  const near = nearest(name, names);
  const hint = near ? `did you mean ${quoted(`${referenceOf(run)}/${near}`)}?` : `its tasks: ${names.slice(0, 20).join(", ")}`;
  throw new Failure(`${referenceOf(run)} has no task "${name}"`, { exitCode: exitCode.notFound, hints: names.length === 0 ? [] : [hint] });
}

/** The task that waits for approval: the one that is named, or the only one. */
export function taskToDecide({ run, task }: Found, verb: string): string {
  if (task) return task.name;
  const waiting = Object.keys(run.tasks).filter((name) => run.tasks[name]?.waitingApproval);
  const [only, ...others] = waiting;
  const reference = referenceOf(run);
  if (only === undefined) throw new Failure(`no task of ${reference} waits for approval`, { exitCode: exitCode.conflict });
  if (others.length === 0) return only;
  throw usage(
    `several tasks of ${reference} wait for approval; say which`,
    waiting.map((name) => `ostler ${verb} ${quoted(`${reference}/${name}`)}`),
  );
}
