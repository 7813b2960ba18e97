import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Draft } from "../../../../src/actors/run/draft.ts";
import { settle } from "../../../../src/actors/run/settle.ts";
import { indexRun } from "../../../../src/actors/run/state.ts";
import { advance, ruledState } from "../../../../src/runs/advance.ts";
import type { Run } from "../../../../src/runs/run.ts";
import { pending, type TaskState } from "../../../../src/runs/task.ts";
import { actor, createdAt, effectsOf, freshlyCreated, known, runId, storedRun } from "./fixtures.ts";
import { deepFreeze } from "./play.ts";
import { definitions } from "./world.ts";

function newRun(definition: Record<string, unknown>): Run {
  const stored = storedRun(definition);
  return known(actor.decode(runId, freshlyCreated(stored)));
}

/** A run with some tasks ended and everything that follows decided by full visits, and one more task that ends now. */
const situations = fc.record({
  definition: definitions,
  endings: fc.array(fc.record({ pick: fc.nat(100), status: fc.constantFrom<Status[]>("success", "failed", "stopped") }), { maxLength: 8 }),
});

type Status = "success" | "failed" | "stopped";

function ended(status: Status): TaskState {
  return { stage: "ended", status, finishedAt: createdAt, attempts: [] };
}

/** All states after a full visit, and the tasks that it decided, in order. */
function fullVisit(run: Run, tasks: readonly TaskState[]) {
  const after = [...tasks];
  const rulings = advance({ graph: run.graph, stop: run.head.stop, task: (index) => tasks[index] ?? pending }, createdAt);
  for (const { task, ruling } of rulings) after[task] = ruledState(ruling, createdAt);
  return { after, decided: rulings.map(({ task }) => task) };
}

function statesOf(draft: Draft): TaskState[] {
  return draft.graph.tasks.map(({ index }) => draft.task(index));
}

describe("advancing what has changed only", () => {
  it("decides the same tasks in the same order as a full visit", () => {
    fc.assert(
      fc.property(situations, ({ definition, endings }) => {
        const run = { ...newRun(definition), head: { created: true, phase: "running", result: "unknown", seq: 1 } } as const;
        let tasks = fullVisit(run, run.tasks).after;
        for (const { pick, status } of endings) {
          const open = [...tasks.keys()].filter((index) => tasks[index]?.stage === "requested" || tasks[index]?.stage === "approval");
          const index = open[pick % open.length];
          if (index === undefined) return;
          const draft = new Draft(deepFreeze(indexRun({ ...run, tasks })), createdAt);
          draft.set(index, ended(status));
          settle(draft);
          const expected = fullVisit(run, tasks.with(index, ended(status)));
          expect(statesOf(draft)).toEqual(expected.after);
          expect([...draft.changedTasks]).toEqual([index, ...expected.decided]);
          tasks = expected.after;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("does not depend on the order in which tasks were written down", () => {
    fc.assert(
      fc.property(definitions, fc.infiniteStream(fc.nat()), (definition, keys) => {
        const shuffled = Object.entries(definition.tasks)
          .map((entry) => ({ entry, key: keys.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ entry }) => entry);
        const events = [definition, { ...definition, tasks: Object.fromEntries(shuffled) }].map((each) => {
          const run = newRun(each);
          const draft = new Draft(indexRun({ ...run, head: { ...run.head, phase: "running" } }), createdAt);
          settle(draft);
          return effectsOf(draft.decide().effects, "event");
        });
        expect(events[0]).toEqual(events[1]);
      }),
    );
  });
});
