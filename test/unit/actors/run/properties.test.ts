import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advance, advanceOnce, outlives } from "../../../../src/runs/advance.ts";
import { isFulfilled } from "../../../../src/runs/conditions.ts";
import { isTerminalPhase, isTerminalStatus, type TaskStatus } from "../../../../src/runs/states.ts";
import { pending, statusOf } from "../../../../src/runs/task.ts";
import type { RunEvent } from "../../../../src/runs/view.ts";
import { effectsOf } from "./fixtures.ts";
import { definitions, type Fate, fates, World } from "./world.ts";

/** Plays a history with late, doubled and reordered messages. */
function played(definition: Record<string, unknown>, history: readonly Fate[]): World {
  const world = new World(definition);
  for (const fate of history) world.step(fate);
  return world;
}

function property(check: (world: World) => void): void {
  fc.assert(
    fc.property(definitions, fates, (definition, history) => check(played(definition, history))),
    { numRuns: 300 },
  );
}

const legal: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  notstarted: ["running", "skipped", "cancelled", "failed", "stopped"],
  running: ["success", "failed", "stopped"],
  skipped: [],
  cancelled: [],
  stopped: [],
  success: [],
  failed: [],
};

function statusesByTask(events: readonly RunEvent[]): ReadonlyMap<string, readonly TaskStatus[]> {
  const statuses = new Map<string, TaskStatus[]>();
  for (const event of events) {
    if (event.type !== "task") continue;
    const before = statuses.get(event.task) ?? ["notstarted"];
    statuses.set(event.task, [...before, event.status]);
  }
  return statuses;
}

/** A5, of a task that needs no approval, stated anew. */
function mayStart({ play }: World, index: number): boolean {
  const { graph, tasks, head } = play.run;
  const node = graph.tasks[index];
  if (!node || node.needsApproval || (head.stop && !outlives(node, head.stop))) return false;
  return node.parents.every((parent) => {
    const status = statusOf(tasks[parent.index] ?? pending);
    return isTerminalStatus(status) && isFulfilled(parent.conditions, status);
  });
}

describe("whatever is repeated, late or reordered", () => {
  it("every run ends exactly once, and nobody keeps anything of it", () => {
    property((world) => {
      expect(world.drain()).toBe(true);
      expect(effectsOf(world.play.effects, "record").filter(({ work }) => work.type === "archive")).toHaveLength(1);
      expect(world.requests.size).toBe(0);
    });
  });

  it("no run ends while its pool has a request or an assignment of it", () => {
    property((world) => {
      world.drain();
      expect(world.endedTooSoon).toBe(false);
    });
  });

  it("events are numbered without a gap, and no two run events in a row are equal", () => {
    property((world) => {
      world.drain();
      const { events } = world.play;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 2));
      const pairs = events.filter((event) => event.type === "run").map(({ phase, result }) => `${phase}/${result}`);
      pairs.forEach((pair, index) => {
        expect(pair).not.toBe(index === 0 ? "queued/unknown" : pairs[index - 1]);
      });
    });
  });

  it("a terminal task never changes, and each task has exactly one terminal event (A4)", () => {
    property((world) => {
      world.drain();
      const byTask = statusesByTask(world.play.events);
      expect(byTask.size).toBe(world.play.run.graph.tasks.length);
      for (const statuses of byTask.values()) {
        statuses.slice(1).forEach((status, index) => {
          expect(legal[statuses[index] ?? "notstarted"]).toContain(status);
        });
        expect(statuses.filter(isTerminalStatus)).toHaveLength(1);
      }
    });
  });

  it("a result is set once, and a terminal phase never changes (A4)", () => {
    property((world) => {
      world.drain();
      const runEvents = world.play.events.filter((event) => event.type === "run");
      expect(new Set(runEvents.map(({ result }) => result).filter((result) => result !== "unknown")).size).toBeLessThanOrEqual(1);
      expect(runEvents.filter(({ phase }) => isTerminalPhase(phase))).toHaveLength(1);
      expect(isTerminalPhase(runEvents.at(-1)?.phase ?? "queued")).toBe(true);
    });
  });

  it("no task ever has two live assignments (A4)", () => {
    property((world) => {
      world.drain();
      expect([...world.doubled]).toEqual([]);
    });
  });

  it("a finished run has only terminal tasks (A6)", () => {
    property((world) => {
      const { head, tasks } = world.play.run;
      if (head.phase === "finished") expect(tasks.every(({ stage }) => stage === "ended")).toBe(true);
    });
  });

  it("every state that is not terminal has a deadline, or somebody who owes an answer (A7)", () => {
    property((world) => {
      const { head, index, tasks } = world.play.run;
      if (head.phase !== "running") return;
      expect(index.active.size).toBeGreaterThan(0);
      expect(Number.isFinite(index.dueAt)).toBe(true);
      expect([...index.active].every((task) => tasks[task]?.stage !== "pending")).toBe(true);
    });
  });

  it("tasks start only as their parents, approvals and stops allow (A5)", () => {
    fc.assert(
      fc.property(definitions, fates, (definition, history) => {
        const world = new World(definition);
        for (const fate of history) {
          const waited = world.play.run.tasks.map(({ stage }) => stage === "pending");
          const { length } = world.play.effects;
          world.step(fate);
          const started = world.play.toPool(world.play.effects.slice(length)).filter(({ type }) => type === "request");
          for (const request of started) if ("task" in request && waited[request.task]) expect(mayStart(world, request.task)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("a run is always advanced as far as it can be: a full visit finds nothing left to decide", () => {
    property((world) => {
      const { head, graph, tasks } = world.play.run;
      if (head.phase !== "running" || head.quarantine) return;
      const task = (index: number) => tasks[index] ?? ({ stage: "pending" } as const);
      expect(advanceOnce({ graph, stop: head.stop, task })).toEqual([]);
      expect(advance({ graph, stop: head.stop, task }, 0)).toEqual([]);
    });
  });

  it("a quarantined run ends as well, within days", () => {
    fc.assert(
      fc.property(definitions, fates, fc.nat({ max: 20 }), (definition, history, at) => {
        const world = new World(definition);
        const poisoned = [...history.slice(0, at), { kind: "quarantine", pick: 0 } as const, ...history.slice(at)];
        for (const fate of poisoned) world.step(fate);
        expect(world.drain()).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
