import type { LogState } from "../ost/log-subject.ts";
import type { AttemptView, StepView } from "../runs/view.ts";
import type { FoundRun } from "./find-run.ts";

/** Which log is meant: `step` is `setup`, the step's number, or `service-` and the service's. */
export interface LogOfTask {
  readonly task: string;
  readonly attempt: number;
  readonly step: string;
}

/** What a run says of one of its logs; of an attempt or step that does not exist (yet): `waiting`. For `LogSubject.state`. */
export function logState(run: FoundRun, { task, attempt, step }: LogOfTask): LogState {
  const view = run.view.tasks[task];
  const attemptView = view?.attempts.find(({ number }) => number === attempt);
  if (attemptView && step.startsWith("service-")) return serviceState(run, attemptView, { task, attempt });
  const stepView = attemptView && (step === "setup" ? attemptView.setup : attemptView.steps[Number(step)]);
  if (!attemptView || !stepView) return { type: "waiting" };
  const assignment = run.assignmentOf(task);
  const isCurrent = run.source === "live" && attemptView.finishedAt === null;
  if (isCurrent && !stepView.log.complete) return assignment === undefined ? { type: "waiting" } : { type: "live", assignment };
  // Of a lost attempt nobody knows which step it had begun, until the archiver has looked at what it shipped.
  const mayHaveBegun = run.source === "live" && attemptView.reason === "executor_lost";
  const index = run.graph.indexOf(task);
  return {
    type: "ended",
    complete: stepView.log.complete || (!mayHaveBegun && stayedEmpty(stepView)),
    // Of an archived run nobody brings anything more.
    lost: attemptView.reason === "executor_lost" || run.source !== "live",
    ...(index === undefined ? {} : { attemptPrefix: `${run.view.id}-${index}-${attempt}-` }),
  };
}

/** A service's log goes on as long as its attempt; how long it is, nobody reports. */
function serviceState(run: FoundRun, view: AttemptView, { task, attempt }: Omit<LogOfTask, "step">): LogState {
  const assignment = run.assignmentOf(task);
  if (run.source === "live" && view.finishedAt === null)
    return assignment === undefined ? { type: "waiting" } : { type: "live", assignment };
  const isLost = view.reason === "executor_lost";
  const index = run.graph.indexOf(task);
  const prefix = index === undefined ? {} : { attemptPrefix: `${run.view.id}-${index}-${attempt}-` };
  return { type: "ended", complete: !isLost, lost: isLost || run.source !== "live", ...prefix };
}

/** A step that never began has no log. */
function stayedEmpty(step: StepView): boolean {
  return step.log.size === 0 && (step.phase === "notstarted" || step.phase === "cancelled");
}
