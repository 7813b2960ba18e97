import type { LogState } from "../ost/log-subject.ts";
import type { AttemptView, StepView } from "../runs/view.ts";
import type { FoundRun } from "./find-run.ts";

/** Which log is meant: `step` is `setup` or the step's number. */
export interface LogOfTask {
  readonly task: string;
  readonly attempt: number;
  readonly step: string;
}

/** What a run says of one of its logs; of an attempt or step that does not exist (yet): `waiting`. For `LogSubject.state`. */
export function logState(run: FoundRun, { task, attempt, step }: LogOfTask): LogState {
  const view = run.view.tasks[task];
  const attemptView = view?.attempts.find(({ number }) => number === attempt);
  const stepView = attemptView && (step === "setup" ? attemptView.setup : attemptView.steps[Number(step)]);
  if (!attemptView || !stepView) return { type: "waiting" };
  const assignment = run.assignmentOf(task);
  const isCurrent = run.source === "live" && attemptView.finishedAt === null;
  if (isCurrent && !stepView.log.complete) return assignment === undefined ? { type: "waiting" } : { type: "live", assignment };
  const index = run.graph.indexOf(task);
  return {
    type: "ended",
    complete: stepView.log.complete || stayedEmpty(attemptView, stepView),
    // Of an archived run nobody brings anything more.
    lost: attemptView.reason === "executor_lost" || run.source !== "live",
    ...(index === undefined ? {} : { attemptPrefix: `${run.view.id}-${index}-${attempt}-` }),
  };
}

/** A step that never began has no log; of a lost attempt nobody knows whether it began. */
function stayedEmpty(attempt: AttemptView, step: StepView): boolean {
  if (attempt.reason === "executor_lost") return false;
  return step.log.size === 0 && (step.phase === "notstarted" || step.phase === "cancelled");
}
