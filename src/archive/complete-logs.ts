import { finishLog, type LogOutlets } from "../ost/finish-log.ts";
import type { LogPlace } from "../ost/layout.ts";
import { layout } from "../ost/layout.ts";
import { endOf, type LogChunk } from "../ost/log-chunk.ts";
import { openLog } from "../ost/log-object.ts";
import type { LogEnd } from "../ost/log-tail.ts";
import { assignmentsWithSegments, shippedChunks, tailsOfAttempt } from "../ost/shipped-log.ts";
import type { AttemptView, RunView, StepView, TaskView } from "../runs/view.ts";
import { deleteLogsOfAttempt } from "./delete-logs.ts";

/** An executor that lives may still be storing a log; afterwards what it has shipped must do. */
const patienceMs = 10 * 60_000;

/** The run's view with every log's final size, or `waiting` if some executor still has to bring one. Idempotent. */
export type CompletedLogs = { readonly type: "complete"; readonly view: RunView } | { readonly type: "waiting" };

/** An ended run as it is shown, and the index of a task in its graph, which assignment ids hold. */
export interface EndedRun {
  readonly view: RunView;
  readonly indexOf: (task: string) => number | undefined;
  /** Redis's time, ms. */
  readonly now: number;
}

/** Sees to it that every log of an ended run is one object, whole or saying what is missing, or is gone if it was deleted. */
export async function completeLogs(outlets: LogOutlets, ended: EndedRun): Promise<CompletedLogs> {
  const { view, now } = ended;
  const isPatient = now < Date.parse(view.finishedAt ?? view.createdAt) + patienceMs;
  const tasks: Record<string, TaskView> = {};
  for (const [task, taskView] of Object.entries(view.tasks)) {
    if (taskView.reusedFrom || !taskView.attempts.some(concernsUs)) continue;
    const attempts: AttemptView[] = [];
    for (const attempt of taskView.attempts) {
      const completed = await completeAttempt(outlets, { ended, task, attempt, isPatient });
      if (completed === "waiting") return { type: "waiting" };
      attempts.push(completed);
    }
    tasks[task] = { ...taskView, attempts };
  }
  return { type: "complete", view: { ...view, tasks: { ...view.tasks, ...tasks } } };
}

/** Nearly all attempts need nothing: their executor has stored their logs before it reported their end. */
function concernsUs(attempt: AttemptView): boolean {
  return [attempt.setup, ...attempt.steps].some((step) => step.log.deleted || mayMiss(attempt, step));
}

/** A lost executor may have begun a step without anybody knowing. */
function mayMiss(attempt: AttemptView, step: StepView): boolean {
  if (step.log.complete) return false;
  return step.phase !== "notstarted" || step.log.size > 0 || isLost(attempt);
}

const isLost = (attempt: AttemptView) => attempt.reason === "executor_lost";

interface AttemptWork {
  readonly ended: EndedRun;
  readonly task: string;
  readonly attempt: AttemptView;
  readonly isPatient: boolean;
}

async function completeAttempt(outlets: LogOutlets, work: AttemptWork): Promise<AttemptView | "waiting"> {
  const { ended, task, attempt } = work;
  const place = { runId: ended.view.id, task, attempt: attempt.number };
  if (attempt.setup.log.deleted) {
    await deleteLogsOfAttempt(outlets.store, place);
    return attempt;
  }
  const steps: StepView[] = [];
  for (const [index, step] of [attempt.setup, ...attempt.steps].entries()) {
    const stepPlace = { ...place, step: index === 0 ? "setup" : String(index - 1) };
    const end = mayMiss(attempt, step) ? await completeLog(outlets, { ...work, place: stepPlace, step }) : undefined;
    if (end === "waiting") return "waiting";
    steps.push(end ? { ...step, log: { ...step.log, size: end.size, complete: end.complete } } : step);
  }
  const [setup = attempt.setup, ...others] = steps;
  return { ...attempt, setup, steps: others };
}

interface LogWork extends AttemptWork {
  readonly place: LogPlace;
  readonly step: StepView;
}

async function completeLog(outlets: LogOutlets, work: LogWork): Promise<LogEnd | "waiting" | undefined> {
  const { place, attempt, step, ended } = work;
  const stored = (await openLog(outlets.store, layout.log(place)))?.index;
  if (stored) return { size: stored.size, sha256: stored.sha256, complete: stored.complete };
  if (work.isPatient && !isLost(attempt)) return "waiting";
  const index = ended.indexOf(work.task);
  const assignments = await findAssignments(outlets, place, `${place.runId}-${index}-${attempt.number}-`);
  const why = isLost(attempt) ? "executor_lost" : "not_uploaded";
  if (assignments.length === 0 && step.phase === "notstarted" && step.log.size === 0) return undefined;
  let end: LogEnd | undefined;
  // After a roll-back there may be several; the one that began later is the run's own, which is how `finishLog` decides.
  for (const assignment of assignments.length > 0 ? assignments : [`${place.runId}-${index}-${attempt.number}-unknown`]) {
    const logPlace = { ...place, assignment };
    const chunks = withLossMark(shippedChunks(outlets, logPlace), { reported: step.log.size, why });
    end = await finishLog(outlets, { place: logPlace, chunks, shipped: true });
  }
  return end;
}

async function findAssignments({ store, redis, keys }: LogOutlets, place: LogPlace, attemptPrefix: string): Promise<readonly string[]> {
  const withTails = (await tailsOfAttempt(redis, keys, attemptPrefix)).filter(({ step }) => step === place.step);
  return [...new Set([...(await assignmentsWithSegments(store, place)), ...withTails.map(({ assignment }) => assignment)])];
}

/** What is there, and then that the rest is lost: up to the size that the executor has reported, or nobody knows how much. */
async function* withLossMark(chunks: AsyncIterable<LogChunk>, { reported, why }: { readonly reported: number; readonly why: string }) {
  let at = 0;
  for await (const chunk of chunks) {
    yield chunk;
    at = endOf(chunk);
  }
  yield { type: "gap" as const, from: at, to: reported > at ? reported : null, why };
}
