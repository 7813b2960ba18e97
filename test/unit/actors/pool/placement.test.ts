import { describe, expect, it } from "vitest";
import type { Effect } from "../../../../src/actors/actor.ts";
import { mailOf } from "../stage.ts";
import { assignment, executor, request, runId, stagePool } from "./cast.ts";

/** Who was given what, in order: `executor <- number of the run`. */
function placed(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.type === "assign" ? [`${effect.executor} <- ${Number(effect.assignment.slice(0, 26))}`] : []));
}

describe("placement", () => {
  it("gives a task at once to an executor that fits, under its incarnation, and tells the run", () => {
    const stage = stagePool();
    stage.tell(executor("a", { incarnation: "i7" }));
    const { effects } = stage.tell(request(1));
    expect(effects).toEqual([
      { type: "assign", executor: "a", incarnation: "i7", assignment: assignment(1) },
      {
        type: "send",
        to: { kind: "run", id: runId(1) },
        message: { type: "assigned", task: 0, attempt: 1, assignment: assignment(1), executor: "a" },
      },
    ]);
  });

  it("never gives an executor more than its limit", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 2 }));
    for (const run of [1, 2]) expect(placed(stage.tell(request(run)).effects)).toEqual([`a <- ${run}`]);
    expect(placed(stage.tell(request(3)).effects)).toEqual([]);
    expect(placed(stage.tell({ type: "release", assignment: assignment(1), executor: "a" }).effects)).toEqual(["a <- 3"]);
  });

  it.each(["cordoned", "suspect", "lost"] as const)("gives nothing to an executor that is %s", (life) => {
    const stage = stagePool();
    stage.tell(executor("a", { life }));
    expect(placed(stage.tell(request(1)).effects)).toEqual([]);
    expect(placed(stage.tell(executor("a")).effects)).toEqual(["a <- 1"]);
  });

  it.each([
    ["an architecture it does not offer", { arch: "arm64" }, {}],
    ["a label it does not have", { labels: { size: "big" } }, {}],
    ["another value of its label", { labels: { size: "big" } }, { labels: { size: "small" } }],
    ["privileges it does not allow", { privileged: true }, {}],
    ["a label named like a method of objects", { labels: { constructor: "x" } }, {}],
    ["an architecture that it only has as a label", { labels: { arch: "amd64" } }, {}],
  ])("gives no executor a task that needs %s", (_, requirement, abilities) => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 9, ...abilities }));
    expect(placed(stage.tell(request(1, { requirement })).effects)).toEqual([]);
    expect(placed(stage.tell(request(2)).effects)).toEqual(["a <- 2"]);
  });

  it("takes the lowest load ratio, then the fewest failures, then the id", () => {
    const stage = stagePool();
    stage.tell(executor("c", { taskLimit: 4 }));
    stage.tell(executor("a", { taskLimit: 2 }));
    stage.tell(executor("b", { taskLimit: 2 }));
    const order = [1, 2, 3, 4, 5, 6].flatMap((run) => placed(stage.tell(request(run)).effects));
    expect(order).toEqual(["a <- 1", "b <- 2", "c <- 3", "c <- 4", "a <- 5", "b <- 6"]);
    stage.tell({ type: "release", assignment: assignment(1), executor: "a", infrastructureFailure: true });
    stage.tell({ type: "release", assignment: assignment(2), executor: "b" });
    expect(placed(stage.tell(request(7)).effects)).toEqual(["b <- 7"]);
  });

  it("gives an executor with three infrastructure failures in a row one task at a time until one succeeds", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 3 }));
    for (const run of [1, 2, 3, 4, 5, 6]) stage.tell(request(run));
    const end = (run: number, infrastructureFailure?: boolean) =>
      placed(stage.tell({ type: "release", assignment: assignment(run), executor: "a", infrastructureFailure }).effects);
    expect(end(1, true)).toEqual(["a <- 4"]);
    expect(end(2, true)).toEqual(["a <- 5"]);
    expect(end(3, true)).toEqual([]);
    expect(end(4)).toEqual([]);
    expect(end(5)).toEqual(["a <- 6"]);
    stage.tell(request(7));
    stage.tell(request(8));
    stage.tell(request(9));
    expect(end(6, false)).toEqual(["a <- 7", "a <- 8", "a <- 9"]);
  });

  it("prefers an executor that did not lose the task before, and takes the one that did where there is no other", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 2 }));
    stage.tell(executor("b", { taskLimit: 1 }));
    expect(placed(stage.tell(request(1, { avoid: ["a"] })).effects)).toEqual(["b <- 1"]);
    expect(placed(stage.tell(request(2, { avoid: ["a"] })).effects)).toEqual(["a <- 2"]);
  });

  it("gives a freed slot to a task that does not avoid it, if one waits close behind", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.tell(request(1));
    stage.tell(request(2, { avoid: ["a"] }));
    stage.tell(request(3));
    expect(placed(stage.tell({ type: "release", assignment: assignment(1), executor: "a" }).effects)).toEqual(["a <- 3"]);
    expect(placed(stage.tell({ type: "release", assignment: assignment(3), executor: "a" }).effects)).toEqual(["a <- 2"]);
  });
});

describe("order of what waits", () => {
  /** Requests wait for an executor with a thousand slots, then all are placed at once. */
  function orderOf(requests: readonly ReturnType<typeof request>[]): readonly string[] {
    const stage = stagePool();
    for (const each of requests) stage.tell(each);
    const { effects } = stage.tell(executor("a", { taskLimit: 1_000 }));
    return mailOf(effects).map(({ to, message }) => {
      const task = typeof message === "object" && message !== null && "task" in message ? message.task : "?";
      return `${Number(to.slice(4))}.${task}`;
    });
  }

  it("is priority, then age of the run, then task order within a root group", () => {
    const order = orderOf([
      request(3, { priority: 0, task: 1 }),
      request(3, { priority: 0, task: 0 }),
      request(2, { priority: 0, runCreatedAt: 9 }),
      request(4, { priority: 5 }),
    ]);
    expect(order).toEqual(["4.0", "3.0", "3.1", "2.0"]);
  });

  it("takes root groups in turn: a hundred tasks of one do not hold up the single one of another", () => {
    const many = Array.from({ length: 100 }, (_, task) => request(1, { task, root: "/a/a" }));
    const order = orderOf([...many, request(2, { root: "/b/b" }), request(3, { root: "/c/c" }), request(2, { root: "/b/b", task: 1 })]);
    expect(order.slice(0, 6)).toEqual(["1.0", "2.0", "3.0", "1.1", "2.1", "1.2"]);
  });

  it("takes requirement classes in turn", () => {
    const order = orderOf([
      request(1, { task: 0 }),
      request(1, { task: 1 }),
      request(1, { task: 2 }),
      request(2, { requirement: { arch: "amd64" } }),
    ]);
    expect(order).toEqual(["1.0", "2.0", "1.1", "1.2"]);
  });

  it("goes on in the same turn when slots come one by one", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.tell(request(9));
    for (const task of [0, 1, 2]) stage.tell(request(1, { task, root: "/a/a" }));
    for (const task of [0, 1]) stage.tell(request(2, { task, root: "/b/b" }));
    const order: string[] = [];
    let current = assignment(9);
    for (let turn = 0; turn < 5; turn++) {
      const { effects } = stage.tell({ type: "release", assignment: current, executor: "a" });
      for (const effect of effects) if (effect.type === "assign") current = effect.assignment;
      order.push(`${Number(current.slice(0, 26))}.${current.split("-")[1]}`);
    }
    expect(order).toEqual(["1.0", "2.0", "1.1", "2.1", "1.2"]);
  });

  it("is not blocked by a task that fits nobody", () => {
    expect(orderOf([request(1, { priority: 9, requirement: { labels: { gpu: "yes" } } }), request(2)])).toEqual(["2.0"]);
  });
});
