import { describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/runs/graph.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import { planRestart, refuseRestart } from "../../../src/runs/restart.ts";
import type { TaskStatus } from "../../../src/runs/states.ts";
import type { AttemptView, StepView, TaskView } from "../../../src/runs/view.ts";
import { raw } from "./faults.ts";

const image = "x";
const at = "2026-11-23T10:00:00.000Z";

const step: StepView = {
  name: "make",
  type: "run",
  phase: "success",
  exitCode: 0,
  startedAt: at,
  finishedAt: at,
  log: { size: 5, complete: true, deleted: false },
};

function attempt(number: number): AttemptView {
  const times = { queuedAt: at, assignedAt: at, startedAt: at, finishedAt: at };
  return { number, executorId: "e", phase: "success", reason: null, exitCode: 0, message: null, ...times, setup: step, steps: [step] };
}

function task(status: TaskStatus, more: Partial<TaskView> = {}): TaskView {
  return {
    status,
    level: 0,
    depends: {},
    attempt: 2,
    attempts: [attempt(1), attempt(2)],
    waitingApproval: false,
    approval: null,
    waitingReason: null,
    skipReason: null,
    reason: null,
    timedOut: false,
    ignoreFailure: false,
    outputs: {},
    startedAt: at,
    finishedAt: at,
    reusedFrom: null,
    ...more,
  };
}

const tasks = {
  build: { image },
  lint: { image },
  test: { image, depends: ["build"] },
  deploy: { image, depends: ["test", "lint"] },
  notify: { image, depends: { test: "always" } },
};
const graph = compileGraph(parseDefinition(raw({ tasks })));

function plan(views: Record<string, TaskView>, more: { readonly fromFailed?: boolean; readonly gone?: readonly string[] } = {}) {
  const { fromFailed = true, gone = [] } = more;
  return planRestart({ graph, run: { id: "old", tasks: views }, fromFailed, hasArchives: (name) => !gone.includes(name) });
}

const failedRun = { build: task("success"), lint: task("success"), test: task("failed"), deploy: task("skipped"), notify: task("success") };

describe("a restart from failed", () => {
  it("runs again what was no success and all that descends from it, and says why", () => {
    expect(plan(failedRun).plan).toEqual({
      recreate: [
        { task: "test", why: "it failed" },
        { task: "deploy", why: "it was skipped" },
        { task: "notify", why: 'it depends on "test", which runs again' },
      ],
      keep: [
        { task: "build", from: "old" },
        { task: "lint", from: "old" },
      ],
    });
  });

  it.each(["skipped", "cancelled", "stopped", "failed", "notstarted"] as const)("recreates what is %s", (status) => {
    const { kept } = plan({ ...failedRun, build: task(status) });
    expect(Object.keys(kept)).toEqual(["lint"]);
  });

  it("recreates a task of which an archive is gone, and what descends from it", () => {
    const all = { ...failedRun, test: task("success"), deploy: task("failed") };
    expect(Object.keys(plan(all, { gone: ["build"] }).kept)).toEqual(["lint"]);
    expect(plan(all, { gone: ["build"] }).plan.recreate[0]).toEqual({
      task: "build",
      why: "what it had saved to the workspace is no longer kept",
    });
  });

  it("keeps where logs and archives are: the run that really ran the task, and the attempt that succeeded", () => {
    const kept = task("success", { reusedFrom: { runId: "older" }, outputs: { V: "1" } });
    const progress = {
      phase: "success",
      exitCode: 0,
      startedAt: Date.parse(at),
      finishedAt: Date.parse(at),
      logSize: 5,
      logComplete: true,
    };
    expect(plan({ ...failedRun, build: kept }).kept.build).toEqual({
      runId: "older",
      attempt: 2,
      executor: "e",
      startedAt: Date.parse(at),
      finishedAt: Date.parse(at),
      outputs: { V: "1" },
      setup: progress,
      steps: [progress],
    });
  });
});

describe("a restart from scratch", () => {
  it("keeps nothing", () => {
    const { plan: all, kept } = plan(failedRun, { fromFailed: false });
    expect(all.recreate).toHaveLength(5);
    expect([all.keep, kept]).toEqual([[], {}]);
  });
});

describe("which runs can be restarted", () => {
  it.each([
    ["finished", "success", true, false],
    ["finished", "failed", true, true],
    ["finished", "stopped", true, true],
    ["cancelled", "unknown", true, true],
    ["setuperror", "unknown", false, false],
    ["queued", "unknown", false, false],
    ["running", "failed", false, false],
  ] as const)("%s/%s: from scratch %s, from failed %s", (phase, result, scratch, failed) => {
    expect(refuseRestart({ phase, result }, false) === undefined).toBe(scratch);
    expect(refuseRestart({ phase, result }, true) === undefined).toBe(failed);
  });
});
