import { describe, expect, it } from "vitest";
import { mailOf } from "../stage.ts";
import { assignment, executor, pool, request, runId, stagePool } from "./cast.ts";

const toRun = (run: number) => `run/${runId(run)}`;
const withdraw = (run: number, { task = 0, attempt = 1 } = {}) => ({ type: "withdraw", run: runId(run), task, attempt }) as const;

describe("a request", () => {
  it("that is repeated while it waits stands in line once", () => {
    const stage = stagePool();
    stage.tell(request(1));
    stage.tell(request(1));
    const { effects } = stage.tell(executor("a", { taskLimit: 5 }));
    expect(effects.filter(({ type }) => type === "assign")).toHaveLength(1);
  });

  it("that is repeated for a task that is assigned is answered once more, not placed again", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 5 }));
    const { effects } = stage.tell(request(1));
    expect(stage.tell(request(1)).effects).toEqual(effects.filter(({ type }) => type === "send"));
  });

  it("for a later attempt takes the place of an earlier one, whose release may come after it", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.tell(request(1));
    const { effects } = stage.tell(request(1, { attempt: 2 }));
    expect(effects[0]).toMatchObject({ type: "assign", assignment: assignment(1, { attempt: 2 }) });
    expect(stage.tell({ type: "release", assignment: assignment(1), executor: "a" }).changes).toEqual([]);
    expect([...stage.state().live.keys()]).toEqual([assignment(1, { attempt: 2 })]);
  });

  it("for an earlier attempt than the one that lives or waits comes from the past", () => {
    const stage = stagePool();
    stage.tell(request(2, { attempt: 2 }));
    stage.tell(executor("a"));
    expect(stage.tell(request(2)).changes).toEqual([]);
    stage.tell(request(3, { attempt: 2 }));
    expect(stage.tell(request(3)).changes).toEqual([]);
  });

  it("that nobody takes in time ends as queue-timeout, once", () => {
    const stage = stagePool();
    stage.tell(request(1, { queueTimeoutMs: 5_000 }), 1_000);
    expect(pool.deadline(stage.state())).toBe(6_000);
    expect(mailOf(stage.tell({ type: "tick" }, 5_999).effects)).toEqual([]);
    expect(mailOf(stage.tell({ type: "tick" }, 6_000).effects)).toEqual([
      { to: toRun(1), message: { type: "queue-timeout", task: 0, attempt: 1 } },
    ]);
    expect(mailOf(stage.tell({ type: "tick" }, 6_001).effects)).toEqual([]);
    expect(stage.tell(executor("a"), 6_002).effects).toEqual([]);
  });
});

describe("a withdrawal", () => {
  it("of a waiting task takes it out of the backlog and says so", () => {
    const stage = stagePool();
    stage.tell(request(1));
    expect(mailOf(stage.tell(withdraw(1)).effects)).toEqual([{ to: toRun(1), message: { type: "withdrawn", task: 0, attempt: 1 } }]);
    expect(stage.tell(executor("a")).effects).toEqual([]);
  });

  it("of a task that the pool does not know is answered all the same", () => {
    expect(mailOf(stagePool().tell(withdraw(1)).effects)).toEqual([{ to: toRun(1), message: { type: "withdrawn", task: 0, attempt: 1 } }]);
  });

  it("that comes after the assignment is not answered: the run has been told of the assignment", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.tell(request(1));
    expect(stage.tell(withdraw(1))).toEqual({ changes: [], effects: [] });
  });

  it("of an earlier attempt leaves a later one in line", () => {
    const stage = stagePool();
    stage.tell(request(1, { attempt: 2 }));
    stage.tell(withdraw(1));
    expect(stage.state().waiting.size).toBe(1);
  });
});

describe("a lost executor", () => {
  it("ends its assignments once its pods are gone, and keeps their slots until the runs have handled that", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 2 }));
    stage.tell(request(1));
    stage.tell(request(2));
    expect(mailOf(stage.tell(executor("a", { taskLimit: 2, life: "lost" })).effects)).toEqual([]);
    const ended = mailOf(stage.tell({ type: "executor-gone", executor: "a", incarnation: "a-1" }, 7_000).effects);
    expect(ended.map(({ to }) => to)).toEqual([toRun(1), toRun(2)]);
    expect(ended[0]?.message).toMatchObject({
      type: "attempt-ended",
      assignment: assignment(1),
      outcome: { phase: "failed", reason: "executor_lost", finishedAt: 7_000 },
    });
    expect(stage.state().live.size).toBe(2);
    stage.tell({ type: "release", assignment: assignment(1), executor: "a", infrastructureFailure: true });
    expect([...stage.state().live.keys()]).toEqual([assignment(2)]);
  });

  it("that is back under a new incarnation does not lose its new work to an old report of its loss", () => {
    const stage = stagePool();
    stage.tell(executor("a", { incarnation: "a-2" }));
    stage.tell(request(1));
    expect(stage.tell({ type: "executor-gone", executor: "a", incarnation: "a-1" })).toEqual({ changes: [], effects: [] });
  });

  it("that is removed leaves its assignments in the book until they are released", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.tell(request(1));
    stage.tell({ type: "executor-removed", executor: "a" });
    expect(stage.state().live.size).toBe(1);
    stage.tell({ type: "release", assignment: assignment(1), executor: "a" });
    expect(pool.deadline(stage.state())).toBeUndefined();
    stage.commit();
    expect(stage.stored().state).toBeNull();
  });
});

describe("the pool's sweep", () => {
  it("asks the runs of assignments and requests that were not asked for half a minute", () => {
    const stage = stagePool();
    stage.tell(executor("a"), 0);
    stage.tell(request(1), 1_000);
    stage.tell(request(2), 2_000);
    expect(pool.deadline(stage.state())).toBe(31_000);
    expect(mailOf(stage.tell({ type: "tick" }, 32_000).effects)).toEqual([
      { to: toRun(1), message: { type: "check-assignment", assignment: assignment(1), executor: "a", pool: "default" } },
      { to: toRun(2), message: { type: "check-request", task: 0, attempt: 1, pool: "default" } },
    ]);
    expect(pool.deadline(stage.state())).toBe(62_000);
    expect(mailOf(stage.tell({ type: "tick" }, 32_100).effects)).toEqual([]);
  });

  it("goes through a long backlog in bounded steps, and leaves nobody out", () => {
    const stage = stagePool();
    const context = { now: 0, session: "s1" };
    for (let run = 1; run <= 700; run++) {
      const message = request(run, { queueTimeoutMs: 1e9 });
      for (const change of pool.decide(stage.state(), message, context).changes) pool.apply(stage.state(), change);
    }
    const asked = new Set<string>();
    const steps: number[] = [];
    for (let now = 40_000; asked.size < 700; now = pool.deadline(stage.state()) ?? 0) {
      const mail = mailOf(stage.tell({ type: "tick" }, now).effects);
      steps.push(mail.length);
      for (const { to } of mail) asked.add(to);
    }
    expect(steps).toEqual([300, 300, 100]);
  });

  it("begins at once under a new owner", () => {
    const stage = stagePool();
    stage.tell(executor("a"), 0);
    stage.tell(request(1), 1_000);
    stage.commit();
    stage.takeOver("s2");
    expect(mailOf(stage.tell({ type: "taken-over" }, 1_500).effects)).toHaveLength(1);
  });
});

describe("an executor that registers again while its pool does not know it yet", () => {
  it("finds what was assigned to its predecessor addressed to itself", () => {
    const stage = stagePool();
    stage.tell(executor("a", { incarnation: "a-1" }));
    stage.tell(request(1));
    const { effects } = stage.tell(executor("a", { incarnation: "a-2" }));
    expect(effects).toContainEqual({ type: "readdress", executor: "a", incarnation: "a-2", assignment: assignment(1) });
  });

  it("is not told so when nothing but its load has changed", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 1 }));
    stage.tell(request(1));
    expect(stage.tell(executor("a", { taskLimit: 2 })).effects).toEqual([]);
  });
});
