import type { AttemptView, RunView, StepView, TaskView } from "../../src/runs/view.ts";

/** Views of runs as the API shows them, for tests: what is not given is as of something that has not begun. */
export function stepView(view: Partial<StepView> = {}): StepView {
  const log = { size: 0, complete: false, deleted: false };
  return { name: "run", type: "run", phase: "notstarted", exitCode: null, startedAt: null, finishedAt: null, log, ...view };
}

export function attemptView(view: Partial<AttemptView> = {}): AttemptView {
  return {
    number: 1,
    executorId: "executor-1",
    phase: "running",
    reason: null,
    exitCode: null,
    message: null,
    queuedAt: null,
    assignedAt: null,
    startedAt: null,
    finishedAt: null,
    setup: stepView({ name: "setup", type: "setup", phase: "success" }),
    steps: [],
    ...view,
  };
}

export function taskView(view: Partial<TaskView> = {}): TaskView {
  return {
    status: "notstarted",
    level: 0,
    depends: {},
    attempt: 0,
    attempts: [],
    waitingApproval: false,
    approval: null,
    waitingReason: null,
    skipReason: null,
    reason: null,
    timedOut: false,
    ignoreFailure: false,
    outputs: {},
    startedAt: null,
    finishedAt: null,
    reusedFrom: null,
    ...view,
  };
}

export function runView(view: Partial<RunView> = {}): RunView {
  return {
    id: "01m857b4n100007d1txgwqxmem",
    number: 12,
    group: "/project/web/branch/main",
    name: "build",
    phase: "running",
    result: "unknown",
    reason: null,
    stopping: false,
    priority: 0,
    createdAt: "2026-01-01T00:00:00.000Z",
    startedAt: "2026-01-01T00:00:00.000Z",
    finishedAt: null,
    archived: false,
    restartOf: null,
    setupErrors: [],
    annotations: {},
    environment: {},
    staticEnvironment: {},
    waitingReason: null,
    timedOut: false,
    quarantined: false,
    canRestartFromScratch: false,
    canRestartFromFailed: false,
    tasks: {},
    ...view,
  };
}

/** Tasks by their parents: `{ a: [], b: ["a"] }`, with levels. */
export function tasksOf(parents: Readonly<Record<string, readonly string[]>>, view: Partial<TaskView> = {}): Record<string, TaskView> {
  const levelOf = (name: string): number => Math.max(-1, ...(parents[name] ?? []).map(levelOf)) + 1;
  return Object.fromEntries(
    Object.entries(parents).map(([name, above]) => {
      const depends = Object.fromEntries(above.map((parent) => [parent, ["on_success" as const]]));
      return [name, taskView({ ...view, level: levelOf(name), depends })];
    }),
  );
}
