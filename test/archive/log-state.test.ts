import { describe, expect, it } from "vitest";
import type { FoundRun } from "../../src/archive/find-run.ts";
import { logState } from "../../src/archive/log-state.ts";
import { presentRun } from "../../src/runs/present.ts";
import type { Run } from "../../src/runs/run.ts";
import type { TaskState } from "../../src/runs/task.ts";
import { createdAt, endedRun, lost, success } from "./ended-run.ts";

function found(run: Run, source: FoundRun["source"] = "live", assignment?: string): FoundRun {
  return { source, view: presentRun(run), stored: run.stored, graph: run.graph, assignmentOf: () => assignment };
}

function withTask(task: TaskState): Run {
  return { ...endedRun({ tasks: { build: [] } }), tasks: [task] };
}

const live: TaskState = {
  stage: "live",
  attempts: [],
  assignment: "a",
  executor: "e1",
  queuedAt: createdAt,
  assignedAt: createdAt,
  startedAt: createdAt,
  steps: [
    { phase: "success", logSize: 5, logComplete: true },
    { phase: "running", logSize: 3 },
  ],
};

const log = (step: string, attempt = 1) => ({ task: "build", attempt, step });

describe("what a run says of a log", () => {
  it("is that it waits, while no executor has the attempt", () => {
    const requested = withTask({ stage: "requested", attempts: [], queuedAt: createdAt });
    expect(logState(found(requested), log("0"))).toEqual({ type: "waiting" });
    expect(logState(found(requested), log("0", 2))).toEqual({ type: "waiting" });
    expect(logState(found(requested), log("7"))).toEqual({ type: "waiting" });
  });

  it("is where it is being written, until its step's log is stored", () => {
    const run = found(withTask(live), "live", "a");
    expect(logState(run, log("1"))).toEqual({ type: "live", assignment: "a" });
    expect(logState(run, log("0"))).toMatchObject({ type: "ended", complete: true });
  });

  it("is that it has ended, and that a step which never began has an empty one", () => {
    const stopped = {
      ...success,
      phase: "failed" as const,
      reason: "exit_code" as const,
      steps: [{ phase: "failed" as const, logSize: 3, logComplete: true }],
    };
    const run = endedRun({ tasks: { build: [stopped] } });
    expect(logState(found(run), log("0"))).toEqual({ type: "ended", complete: true, lost: false, attemptPrefix: `${run.facts.id}-0-1-` });
    expect(logState(found(run), log("1"))).toMatchObject({ type: "ended", complete: true });
  });

  it("is that the rest is lost with its executor, in any step as long as nobody has looked", () => {
    const run = endedRun({ tasks: { build: [lost] } });
    for (const step of ["0", "1"]) expect(logState(found(run), log(step))).toMatchObject({ type: "ended", complete: false, lost: true });
    expect(logState(found(run, "archive"), log("1"))).toMatchObject({ complete: true });
  });

  it("is that nobody brings anything more, once the run is archived", () => {
    const run = endedRun({ tasks: { build: [{ ...success, steps: [{ phase: "success", logSize: 5, logComplete: false }] }] } });
    expect(logState(found(run), log("0"))).toMatchObject({ complete: false, lost: false });
    expect(logState(found(run, "archive"), log("0"))).toMatchObject({ complete: false, lost: true });
  });
});
