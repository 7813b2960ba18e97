import { describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/runs/graph.ts";
import { ancestorsOf, taskInputs } from "../../../src/runs/inputs.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import type { KeptTask } from "../../../src/runs/stored-definition.ts";
import { type EndedAttempt, pending, type TaskState } from "../../../src/runs/task.ts";
import { raw } from "./faults.ts";

const image = "x";
const save = { type: "save_to_workspace", contents: [{}] };
const tasks = {
  z: { image, steps: [{ run: "x" }, save, save] },
  b: { image, depends: ["z"], steps: [save] },
  a: { image, depends: ["z"], steps: [save] },
  aside: { image, steps: [save] },
  last: { image, depends: ["a", "b"] },
};
const graph = compileGraph(parseDefinition(raw({ tasks })));

function ended(steps: readonly ("success" | "failed" | "notstarted")[], outputs: Record<string, string> = {}): TaskState {
  const attempt = (phases: typeof steps): EndedAttempt => ({
    phase: "success",
    queuedAt: 0,
    finishedAt: 0,
    ranStep: true,
    steps: phases.map((phase) => ({ phase })),
  });
  return { stage: "ended", status: "success", finishedAt: 0, attempts: [attempt(["failed"]), attempt(steps)], outputs };
}

function inputs(states: Record<string, TaskState>, kept: Record<string, KeptTask> = {}) {
  const stored = { runId: "r", restart: { of: "old", fromFailed: true, kept } };
  const task = (index: number) => states[graph.tasks[index]?.name ?? ""] ?? pending;
  return taskInputs({ graph, stored, task }, graph.indexOf("last") ?? -1);
}

describe("what a task receives", () => {
  it("is what all its ancestors saved, by level, then name, step by step", () => {
    const all = { z: ended(["success", "success", "success"]), a: ended(["success"]), b: ended(["success"]), aside: ended(["success"]) };
    expect(inputs(all).workspaces).toEqual([
      { runId: "r", task: "z", attempt: 2, step: 1 },
      { runId: "r", task: "z", attempt: 2, step: 2 },
      { runId: "r", task: "a", attempt: 2, step: 0 },
      { runId: "r", task: "b", attempt: 2, step: 0 },
    ]);
  });

  it("lacks what was skipped, or failed before it saved", () => {
    const skipped: TaskState = { stage: "ended", status: "skipped", finishedAt: 0, attempts: [], skip: { type: "skip" } };
    expect(inputs({ z: ended(["success", "success", "failed"]), a: skipped, b: ended(["failed"]) }).workspaces).toEqual([
      { runId: "r", task: "z", attempt: 2, step: 1 },
    ]);
  });

  it("has outputs under the names of task and key, the later ancestor's where they are the same", () => {
    const { outputs } = inputs({ z: ended([], { "my-key": "1", VERSION: "2" }), a: ended([], { X: "3" }), aside: ended([], { NO: "4" }) });
    expect(outputs).toEqual({ OSTLER_OUTPUT_Z_MY_KEY: "1", OSTLER_OUTPUT_Z_VERSION: "2", OSTLER_OUTPUT_A_X: "3" });
  });

  it("comes from the run that really ran a kept task", () => {
    const kept: TaskState = { stage: "ended", status: "success", finishedAt: 0, attempts: [], kept: true };
    const a: KeptTask = { runId: "older", attempt: 3, finishedAt: 0, outputs: { V: "1" }, steps: [{ phase: "success" }] };
    expect(inputs({ a: kept }, { a })).toEqual({
      outputs: { OSTLER_OUTPUT_A_V: "1" },
      workspaces: [{ runId: "older", task: "a", attempt: 3, step: 0 }],
    });
  });

  it("concerns ancestors only", () => {
    expect(ancestorsOf(graph, graph.indexOf("last") ?? -1).map((index) => graph.tasks[index]?.name)).toEqual(["z", "a", "b"]);
  });
});
