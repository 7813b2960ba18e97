import { describe, expect, it } from "vitest";
import { assignment, executor, pool, request, runId, stagePool } from "./cast.ts";

describe("what a pool writes", () => {
  it("is one field for a task that is placed as it arrives: the backlog is not touched", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.commit();
    stage.tell(request(1));
    expect(stage.commit()).toEqual([assignment(1)]);
  });

  it("is nothing of what came and went within a batch", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.tell(request(1));
    stage.commit();
    stage.tell(request(2));
    stage.tell({ type: "release", assignment: assignment(1), executor: "a" });
    stage.tell({ type: "release", assignment: assignment(2), executor: "a" });
    expect(stage.commit()).toEqual([assignment(1)]);
    expect(stage.stored().parts.slice(0, 2)).toEqual([{}, {}]);
  });

  it("removes a later attempt that replaced a stored one and was withdrawn within the batch", () => {
    const stage = stagePool();
    stage.tell(request(1));
    stage.commit();
    stage.tell(request(1, { attempt: 2 }));
    stage.tell({ type: "withdraw", run: runId(1), task: 0, attempt: 2 });
    stage.commit();
    expect(stage.stored()).toEqual({ state: null, parts: [{}, {}, {}] });
  });

  it("removes an executor that changed and was removed within the batch", () => {
    const stage = stagePool();
    stage.tell(executor("a"));
    stage.commit();
    stage.tell(executor("a", { life: "lost" }));
    stage.tell({ type: "executor-removed", executor: "a" });
    stage.commit();
    expect(stage.stored()).toEqual({ state: null, parts: [{}, {}, {}] });
  });

  it("costs at most 200 bytes per waiting task", () => {
    const stage = stagePool();
    stage.tell(request(1, { task: 99_999, requirement: { arch: "arm64", labels: { size: "big" } }, runCreatedAt: Date.UTC(2026, 10, 23) }));
    stage.commit();
    const [ready] = stage.stored().parts;
    expect(JSON.stringify(ready).length).toBeLessThan(200);
  });

  it("is enough for a new owner to go on, under its own session", () => {
    const stage = stagePool();
    stage.tell(executor("a", { taskLimit: 2 }));
    for (const run of [1, 2, 3]) stage.tell(request(run, { requirement: { arch: "amd64" }, avoid: ["b"] }));
    stage.commit();
    stage.takeOver("s2");
    const { effects } = stage.tell({ type: "release", assignment: assignment(1), executor: "a" });
    expect(effects[0]).toMatchObject({ type: "assign", executor: "a", assignment: assignment(3, { session: "s2" }) });
    expect(stage.state().executors.get("a")?.live).toBe(2);
  });

  it("cannot be read if it was not written by a pool", () => {
    expect(() => pool.decode("default", { state: null, parts: [{}, { "not-an-assignment": "a" }, {}] })).toThrow("not an assignment id");
    expect(() => pool.decode("default", { state: '{"v":2}', parts: [{}, {}, {}] })).toThrow();
  });
});
