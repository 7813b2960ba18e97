import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { RunFacts } from "../../../src/runs/facts.ts";
import { compileGraph } from "../../../src/runs/graph.ts";
import { AttemptReason } from "../../../src/runs/outcome.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import { decodeRun, decodeTaskText, encodeState, encodeTaskText, maxInlineTasks } from "../../../src/runs/record.ts";
import * as codes from "../../../src/runs/record-codes.ts";
import type { Run, RunHead } from "../../../src/runs/run.ts";
import { RunPhase, RunReason, RunResult, StepPhase, TaskStatus } from "../../../src/runs/states.ts";
import type { TaskState } from "../../../src/runs/task.ts";
import { raw } from "./faults.ts";
import { heads, taskStates } from "./states.ts";

const createdAt = 1_763_900_000_000;

function given(tasks: number): Pick<Run, "stored" | "facts" | "graph"> {
  const definition = parseDefinition(
    raw({ tasks: Object.fromEntries(Array.from({ length: tasks }, (_, index) => [`t${index}`, { image: "x" }])) }),
  );
  const facts: RunFacts = { id: "r", number: 1, group: "/a/b", name: "x", createdAt, phase: "queued", root: "/a/b" };
  return { stored: { version: 1, runId: "r", group: "/a/b", createdAt, definition }, facts, graph: compileGraph(definition) };
}

const two = given(2);

function encodeSmall(head: RunHead, tasks: readonly TaskState[]): string {
  return encodeState(
    { head, facts: two.facts },
    tasks.map((task) => encodeTaskText(task, createdAt)),
  );
}

const noop: TaskState = {
  stage: "ended",
  status: "success",
  finishedAt: createdAt + 90_019,
  attempts: [
    {
      phase: "success",
      executor: "executor-host-1",
      queuedAt: createdAt + 90_001,
      assignedAt: createdAt + 90_002,
      startedAt: createdAt + 90_010,
      finishedAt: createdAt + 90_019,
      ranStep: true,
      setup: { phase: "success", startedAt: createdAt + 90_003, finishedAt: createdAt + 90_010, logSize: 120, logComplete: true },
      steps: [
        { phase: "success", startedAt: createdAt + 90_010, finishedAt: createdAt + 90_019, exitCode: 0, logSize: 0, logComplete: true },
      ],
    },
  ],
};

const Golden = z.object({ state: z.string(), decoded: z.unknown() });

describe("a run's record", () => {
  it("gives back every head and every state of a task", () => {
    fc.assert(
      fc.property(heads, taskStates, taskStates, (head, first, second) => {
        const run = decodeRun(two, encodeSmall(head, [first, second]), {});
        expect([run.head, ...run.tasks]).toEqual([head, first, second]);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the tasks of a big run in fields, where what is pending needs none", () => {
    const big = given(maxInlineTasks + 1);
    const head: RunHead = { created: true, phase: "running", result: "unknown", seq: 2 };
    const run = decodeRun(big, encodeState({ head, facts: big.facts }, undefined), { 3: encodeTaskText(noop, createdAt) });
    expect(run.tasks[3]).toEqual(noop);
    expect(run.tasks.filter(({ stage }) => stage === "pending")).toHaveLength(maxInlineTasks);
  });

  it("is at most 150 bytes for a finished task that did nothing, and 500 for the run", () => {
    expect(encodeTaskText(noop, createdAt).length).toBeLessThanOrEqual(150);
    const stop = { at: createdAt + 1e9, by: "somebody@example.org", force: true, why: "stopped", requestId: "r".repeat(100) } as const;
    const head: RunHead = {
      created: true,
      phase: "finished",
      result: "stopped",
      seq: 100_000,
      startedAt: createdAt + 1,
      finishedAt: createdAt + 1e9,
      stop,
    };
    expect(encodeSmall(head, []).length).toBeLessThanOrEqual(500);
  });

  it.each([
    ["{}", /./],
    ['{"v":2,"h":[1,0,1,1],"t":[0,0]}', /./],
    ['{"v":1,"h":[1,0,1,1],"t":[0]}', /1 tasks instead of 2/],
    ['{"v":1,"h":[1,0,1,1]}', /undefined tasks/],
    ['{"v":1,"h":[9,0,1,1],"t":[0,0]}', /cell 0 is not a known code/],
    ['{"v":1,"h":[1,0,"1",1],"t":[0,0]}', /cell 2 is not a number/],
    ['{"v":1,"h":[1,0,1,1],"t":[1,0]}', /not a row/],
    ['{"v":1,"h":[1,0,1,1],"t":[[3,null,null,1,null,1,7]]}', /./],
    ['{"v":1,"h":[1,0,1,1],"t":[[3,null,null,1,null,1,7],0]}', /cell 6 is not a text/],
    ['{"v":1,"h":[1,0,1,1],"t":[[5,null,null,1,3,null,null,{"a":1}],0]}', /cell 7 is not texts by name/],
    ["nonsense", /./],
  ])("that is corrupt is refused: %s", (text, message) => {
    expect(() => decodeRun(two, text, {})).toThrow(message);
  });

  it("of a task alone is refused alike", () => {
    expect(decodeTaskText(undefined, createdAt)).toEqual({ stage: "pending" });
    expect(() => decodeTaskText("[]", createdAt)).toThrow(/cell 0/);
    expect(() => decodeTaskText("[", createdAt)).toThrow();
  });

  it("of version 1 is read for ever", () => {
    const golden = Golden.parse(JSON.parse(readFileSync(new URL("./golden/run-state-v1.json", import.meta.url), "utf8")));
    const { head, tasks } = decodeRun(two, golden.state, {});
    expect({ head, tasks }).toEqual(golden.decoded);
  });
});

describe("the codes of a record", () => {
  it("cover every name", () => {
    expect([...codes.runPhases].sort()).toEqual([...RunPhase.options].sort());
    expect([...codes.runResults].sort()).toEqual([...RunResult.options].sort());
    expect([...codes.runReasons].sort()).toEqual([...RunReason.options].sort());
    expect([...codes.stepPhases].sort()).toEqual([...StepPhase.options].sort());
    expect([...codes.attemptReasons].sort()).toEqual([...AttemptReason.options].sort());
    expect([...codes.endStatuses, "notstarted", "running"].sort()).toEqual([...TaskStatus.options].sort());
  });
});
