import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { coloured, plain } from "../../src/cli/text/colour.ts";
import { widthOf } from "../../src/cli/text/width.ts";
import { type FrameInput, frameLines } from "../../src/cli/watch/frame.ts";
import type { RunView } from "../../src/runs/view.ts";
import { attemptView, runView, stepView, tasksOf, taskView } from "../support/run-views.ts";

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;
const steps = [stepView({ name: "npm ci", phase: "success" }), stepView({ name: "unit tests", phase: "running" })];

const graph = tasksOf({
  lint: [],
  build: ["lint"],
  test: ["lint"],
  "e2e (slow)": ["build"],
  deploy: ["build", "test"],
  notify: ["deploy"],
});
const run = runView({
  tasks: {
    lint: { ...graph["lint"], ...taskView({ status: "success", attempt: 1, startedAt: at(0), finishedAt: at(4) }) },
    build: { ...view("build"), status: "running", attempt: 2, attempts: [attemptView({ number: 2, steps })], startedAt: at(4) },
    test: {
      ...view("test"),
      status: "failed",
      attempt: 1,
      reason: "exit_code",
      attempts: [failedAttempt()],
      startedAt: at(4),
      finishedAt: at(6),
    },
    "e2e (slow)": {
      ...view("e2e (slow)"),
      waitingApproval: true,
      waitingReason: { type: "approval", message: "waits for approval since then" },
    },
    deploy: { ...view("deploy"), waitingReason: { type: "dependency", message: "waits for build", tasks: ["build"] } },
    notify: { ...view("notify"), status: "skipped", skipReason: { type: "skip", message: "the definition says so" } },
  },
});

function view(name: string) {
  return graph[name] ?? taskView();
}

function failedAttempt() {
  return attemptView({ phase: "failed", reason: "exit_code", steps: [stepView({ name: "unit tests", phase: "failed", exitCode: 2 })] });
}

function frame(input: Partial<FrameInput> = {}): readonly string[] {
  return frameLines({ run, reference: "/project/web#12", nowMs: Date.parse(at(10)), columns: 100, rows: 40, paint: plain, ...input });
}

describe("a frame", () => {
  it("draws a run as a tree with steps, durations, reasons and what to type", () => {
    expect(frame()).toEqual([
      "/project/web#12  build  running  10s",
      "✓ lint                4.0s",
      "├─ ● build            6.0s  attempt 2, 2/2 unit tests",
      "│  ├─ ○ deploy              waits for build",
      "│  │  – notify              the definition says so",
      "│  └─ ? e2e (slow)          waits for approval: ostler approve '/project/web#12/e2e (slow)'",
      '└─ ✗ test             2.0s  exit code 2 in step 0 "unit tests"',
    ]);
  });

  it.each([20, 40, 61, 80])("is never wider than a terminal of %i columns", (columns) => {
    for (const line of frame({ columns, paint: coloured })) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });

  it("is never higher than the terminal, shows what matters most, and counts the rest", () => {
    const lines = frame({ rows: 6 });
    expect(lines.length).toBeLessThan(6);
    expect(lines.join("\n")).toMatch(/✗ test[\s\S]*… and 3 more: 1 success, 1 not started, 1 skipped/);
    expect(lines.join("\n")).toContain("? e2e");
  });

  it("stays as high as the terminal for a run of ten thousand tasks", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => [`t${i}`, taskView({ status: i % 2 ? "success" : "running" })] as const);
    const lines = frame({ run: runView({ tasks: Object.fromEntries(names) }), rows: 24 });
    expect(lines).toHaveLength(23);
    expect(lines.at(-1)).toBe("… and 9979 more: 5000 success, 4979 running");
  });

  it("says the same without colours as with them", () => {
    expect(frame({ paint: coloured }).map(stripVTControlCharacters)).toEqual(frame());
  });

  it("shows why a queued run waits, and the errors of one that cannot run", () => {
    const waitingReason: RunView["waitingReason"] = {
      type: "concurrency",
      message: "waits for the key deploy-eu",
      key: "deploy-eu",
      holders: [],
      position: 1,
    };
    expect(frame({ run: runView({ phase: "queued", startedAt: null, waitingReason }) })).toEqual([
      "/project/web#12  build  queued  10s",
      "  waits for the key deploy-eu",
    ]);
    expect(
      frame({ run: runView({ phase: "setuperror", startedAt: null, finishedAt: at(0), setupErrors: ["tasks.a: no\x1b[2J such"] }) }),
    ).toEqual(["/project/web#12  build  setup error  0.0s", "  tasks.a: no such"]);
  });
});
