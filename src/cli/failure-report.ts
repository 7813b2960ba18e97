import { ApiError } from "../client/api-error.ts";
import type { RunView } from "../runs/view.ts";
import { quoted, referenceOf } from "./reference-text.ts";
import type { Session } from "./session.ts";
import type { Output } from "./terminal.ts";
import { paintFor } from "./text/colour.ts";
import { oneLine } from "./text/width.ts";
import { byLevel } from "./watch/tree.ts";
import { failureWord, lastAttempt, type PlacedStep, runReasonWord, stepIn } from "./words.ts";

/** What fits below each other on a screen: the first failures are the likeliest causes. */
const mostTasks = 3;
const tailLines = 20;

/** After a run that failed: what failed, the end of its log, and what to type next. Nothing for other fates. */
export async function reportFailure(session: Session, output: Output, run: RunView): Promise<void> {
  const { say } = session;
  const reference = referenceOf(run);
  if (run.phase === "setuperror") {
    for (const error of run.setupErrors) say(`  ${oneLine(error)}`);
    return say("it cannot run as it is; check a file before with: ostler lint FILE");
  }
  if (run.result !== "failed") return;

  const failed = failedTasks(run);
  for (const name of failed.slice(0, mostTasks)) await reportTask(session, output, run, name);
  if (failed.length > mostTasks) say(`and ${failed.length - mostTasks} more failed: ostler why ${quoted(reference)}`);
  if (failed.length === 0 && run.reason) say(`${reference} failed: ${runReasonWord(run.reason)}`);
  say("");
  sayNext(session, run);
}

/** What a person types next after a run that failed. */
export function sayNext({ say }: Session, run: RunView): void {
  const reference = referenceOf(run);
  const [first] = failedTasks(run);
  if (first !== undefined) say(`  the whole log:            ostler logs ${quoted(`${reference}/${first}`)}`);
  if (run.canRestartFromFailed) say(`  again from what failed:   ostler restart --from-failed ${quoted(reference)}`);
  else if (run.canRestartFromScratch) say(`  again from the beginning: ostler restart ${quoted(reference)}`);
}

/** The tasks that made the run fail, in its own order: earlier levels first. */
export function failedTasks(run: RunView): readonly string[] {
  return Object.keys(run.tasks)
    .filter((name) => run.tasks[name]?.status === "failed" && !run.tasks[name]?.ignoreFailure)
    .toSorted(byLevel(run.tasks));
}

async function reportTask(session: Session, output: Output, run: RunView, name: string): Promise<void> {
  const task = run.tasks[name];
  if (!task) return;
  const paint = paintFor(output);
  output.write(`\n${paint(["red", "bold"], `${name}: ${oneLine(failureWord(task))}`)}\n`);
  const attempt = lastAttempt(task);
  const step = stepIn(attempt, "failed");
  if (!attempt || !step || step.step.log.size === 0) return;
  const lines = await readTail(session, { run, name, attempt: attempt.number, step });
  for (const line of lines) output.write(`  ${paint("dim", "|")} ${line}\n`);
}

interface TailOf {
  readonly run: RunView;
  readonly name: string;
  readonly attempt: number;
  readonly step: PlacedStep;
}

/** The end of a step's log. That a log cannot be read must not hide what the run's fate is. */
async function readTail({ client, signal, say }: Session, { run, name, attempt, step }: TailOf): Promise<readonly string[]> {
  try {
    const address = { runId: run.id, task: name, attempt, ...(step.index === undefined ? { setup: true } : { step: step.index }) };
    const text = await new Response(await client.logs.read(address, { tail: tailLines }, signal)).text();
    return text
      .replace(/\r?\n$/, "")
      .split(/\r?\n/)
      .slice(-tailLines);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(`  its log cannot be read: ${error.message}`);
    return [];
  }
}
