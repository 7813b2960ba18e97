import { describe, expect, it } from "vitest";
import { lineOfEvent } from "../../src/cli/watch/change-lines.ts";
import { waitingLines } from "../../src/cli/watch/waiting-lines.ts";
import type { RunEvent } from "../../src/runs/view.ts";
import { attemptView, runView, stepView, taskView } from "../support/run-views.ts";

const base = { id: "r-1", runId: "r", seq: 1, at: "2026-01-01T00:00:01.000Z" };
const failed = taskView({
  status: "failed",
  attempt: 2,
  reason: "exit_code",
  attempts: [attemptView({ number: 2, phase: "failed", steps: [stepView({ name: "unit tests", phase: "failed", exitCode: 2 })] })],
});
const inBackOff = taskView({ status: "running", attempt: 1 });
const run = runView({ tasks: { test: failed, other: inBackOff } });
const lineOf = (event: RunEvent) => lineOfEvent(event, run);

describe("an event's line", () => {
  it("says time, what, state, and why", () => {
    const event = { ...base, type: "task", task: "test", status: "failed", reason: "exit_code" } as const;
    expect(lineOf(event)).toBe('2026-01-01T00:00:01.000Z  test  failed  exit code 2 in step 0 "unit tests"');
  });

  it("does not explain a change by a state that came after it", () => {
    const event = { ...base, type: "task", task: "test", status: "running", reason: null } as const;
    expect(lineOf(event)).toBe("2026-01-01T00:00:01.000Z  test  running");
  });

  it("tells the four changes of a run apart", () => {
    const of = (phase: "queued" | "running" | "finished", result: "unknown" | "failed") => lineOf({ ...base, type: "run", phase, result });
    const lines = [of("queued", "unknown"), of("running", "unknown"), of("running", "failed"), of("finished", "failed")];
    expect(lines.map((line) => line?.split("  ")[2])).toEqual(["queued", "running", "failing", "failed"]);
  });

  it("mentions attempts only where there is more than one", () => {
    const attempt = (number: number, phase: "running" | "failed", reason: "oom" | null = null) =>
      lineOf({ ...base, type: "attempt", task: "test", attempt: number, phase, reason });
    expect(attempt(1, "running")).toBeUndefined();
    expect(attempt(1, "failed", "oom")).toBe("2026-01-01T00:00:01.000Z  test  attempt 1 failed: ran out of memory");
    expect(attempt(2, "running")).toBe("2026-01-01T00:00:01.000Z  test  attempt 2");
    expect(attempt(2, "failed", "oom")).toBeUndefined();
    const beforeRetry = { ...base, type: "attempt", task: "other", attempt: 1, phase: "failed", reason: "exit_code" } as const;
    expect(lineOf(beforeRetry)).toBe("2026-01-01T00:00:01.000Z  other  attempt 1 failed: a step failed");
  });
});

describe("waiting", () => {
  const waits = (type: "pod_pending" | "approval" | "maintenance", message: string) =>
    runView({
      tasks: {
        a: taskView({ waitingReason: { type, message } }),
        b: taskView({ waitingReason: { type: "dependency", message: "a", tasks: ["a"] } }),
      },
    });

  it("is worth a line once it has lasted, and then only one", () => {
    const first = waitingLines(new Map(), waits("pod_pending", "starts"), 0);
    const second = waitingLines(first.memory, waits("pod_pending", "still starts"), 3_000);
    const third = waitingLines(second.memory, waits("pod_pending", "still"), 60_000);
    expect([first.lines, second.lines, third.lines]).toEqual([[], ["1970-01-01T00:00:03.000Z  a  waiting  still starts"], []]);
  });

  it("begins anew with a new reason", () => {
    const first = waitingLines(new Map(), waits("pod_pending", "starts"), 0);
    const second = waitingLines(first.memory, waits("maintenance", "moved"), 4_000);
    expect(second.lines).toEqual([]);
    expect(waitingLines(second.memory, waits("maintenance", "moved"), 7_000).lines).toHaveLength(1);
  });

  it("for a person is said at once", () => {
    expect(waitingLines(new Map(), waits("approval", "waits for approval"), 0).lines).toEqual([
      "1970-01-01T00:00:00.000Z  a  waiting  waits for approval",
    ]);
  });
});
