import { describe, expect, it } from "vitest";
import { advance, advanceOnce } from "../../../src/runs/advance.ts";
import { compileGraph } from "../../../src/runs/graph.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import type { RunStop } from "../../../src/runs/run.ts";
import { pending, type TaskState } from "../../../src/runs/task.ts";
import { raw } from "./faults.ts";

const image = "x";

function situation(tasks: Record<string, unknown>, states: Readonly<Record<string, TaskState>> = {}, stop?: RunStop) {
  const graph = compileGraph(parseDefinition(raw({ tasks })));
  return { graph, stop, task: (index: number) => states[graph.tasks[index]?.name ?? ""] ?? pending };
}

function ended(status: "success" | "failed" | "skipped"): TaskState {
  return { stage: "ended", status, finishedAt: 0, attempts: [] };
}

const stopped: RunStop = { at: 0, by: "ann", force: false, why: "stopped" };

describe("advancing once", () => {
  it("leaves the child of a task that it decides for the next time", () => {
    const tasks = { a: { image }, b: { image, depends: ["a"] }, c: { image, depends: ["b"] } };
    expect(advanceOnce(situation(tasks, { a: ended("failed") })).map(({ task }) => task)).toEqual([1]);
    expect(advance(situation(tasks, { a: ended("failed") }), 0).map(({ task }) => task)).toEqual([1, 2]);
  });

  it("decides in level, then name order", () => {
    const tasks = { z: { image }, b: { image, depends: ["z"] }, a: { image, depends: ["z"] } };
    expect(advanceOnce(situation(tasks, { z: ended("success") }))).toEqual([
      { task: 1, ruling: { type: "start" } },
      { task: 2, ruling: { type: "start" } },
    ]);
  });

  it("names the first parent that does not match, once all have ended", () => {
    const tasks = { a: { image }, b: { image }, c: { image, depends: ["a", "b"] } };
    expect(advanceOnce(situation(tasks, { a: ended("failed"), b: { stage: "requested", attempts: [], queuedAt: 0 } }))).toEqual([]);
    expect(advanceOnce(situation(tasks, { a: ended("failed"), b: ended("skipped") }))).toEqual([
      { task: 2, ruling: { type: "skip", cause: { type: "condition", parent: 0 } } },
    ]);
  });

  it("asks for an approval only of a task that would start", () => {
    const tasks = { a: { image }, b: { image, depends: ["a"], needsApproval: true } };
    expect(advanceOnce(situation(tasks, { a: ended("success") }))).toMatchObject([{ ruling: { type: "await-approval" } }]);
    expect(advanceOnce(situation(tasks, { a: ended("failed") }))).toMatchObject([{ ruling: { type: "skip" } }]);
  });

  it("skips everything that a stop does not leave alone, whatever its parents do", () => {
    const always = { image, depends: { a: "always" } };
    const tasks = { a: { image }, b: { image, depends: ["a"] }, clean: always, gate: { ...always, needsApproval: true } };
    const running: TaskState = { stage: "requested", attempts: [], queuedAt: 0 };
    expect(advanceOnce(situation(tasks, { a: running }, stopped)).map(({ task }) => task)).toEqual([1, 3]);
    expect(advanceOnce(situation(tasks, { a: running }, { ...stopped, force: true })).map(({ task }) => task)).toEqual([1, 2, 3]);
    expect(advanceOnce(situation(tasks, { a: ended("failed") }, stopped))).toContainEqual({ task: 2, ruling: { type: "start" } });
  });
});
