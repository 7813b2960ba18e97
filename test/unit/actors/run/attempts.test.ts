import { describe, expect, it } from "vitest";
import { effectsOf, runId } from "./fixtures.ts";
import { Play, session } from "./play.ts";

const one = (more: Record<string, unknown> = {}) => ({ tasks: { a: { image: "x", steps: [{ run: "make" }], ...more } } });

function taskEvents(play: Play) {
  return play.events
    .filter(({ type }) => type !== "run")
    .map((event) => (event.type === "task" ? event.status : event.type === "attempt" ? `${event.attempt} ${event.phase}` : ""));
}

describe("an attempt", () => {
  it("has an event at its begin and its end, and makes its task run and end", () => {
    const play = Play.running(one());
    play.succeed("a");
    expect(taskEvents(play)).toEqual(["running", "1 running", "1 success", "success"]);
  });

  it("whose begin was never reported has both events all the same", () => {
    const play = Play.running(one());
    play.assign("a");
    play.end("a", { startedAt: play.now });
    expect(taskEvents(play)).toEqual(["running", "1 running", "1 success", "success"]);
  });

  it("lets go of its slot and its entry on the executor when it ends", () => {
    const play = Play.running(one());
    const assignment = play.assign("a");
    play.begin("a");
    play.end("a");
    expect(effectsOf(play.last, "settle-assignment")).toEqual([{ type: "settle-assignment", executor: "executor-1", assignment }]);
    expect(play.toPool(play.last)).toEqual([{ type: "release", assignment, executor: "executor-1", infrastructureFailure: false }]);
  });

  it("keeps its times, executor, steps, exit code and the platform's words", () => {
    const play = Play.running(one());
    const queuedAt = new Date(play.now).toISOString();
    play.fail("a", { message: "exit status 2", exitCode: 2, steps: [{ phase: "failed", exitCode: 2, logSize: 12, logComplete: true }] });
    expect(play.task("a").attempts).toMatchObject([
      { number: 1, executorId: "executor-1", phase: "failed", reason: "exit_code", exitCode: 2, message: "exit status 2", queuedAt },
    ]);
    expect(play.task("a").attempts[0]?.steps).toMatchObject([
      { name: "make", type: "run", exitCode: 2, log: { size: 12, complete: true } },
    ]);
  });

  it("shows the progress its executor reports, and why its pod is not there yet", () => {
    const play = Play.running(one());
    const assignment = play.assign("a");
    play.tell({ type: "attempt-progress", assignment, setup: { phase: "running" }, steps: [], message: "pulling image x" });
    expect(play.task("a").waitingReason).toEqual({ type: "pod_pending", message: "pulling image x" });
    play.begin("a");
    play.tell({ type: "attempt-progress", assignment, setup: { phase: "success" }, steps: [{ phase: "running", logSize: 7 }] });
    expect(play.task("a").attempts[0]).toMatchObject({ phase: "running", setup: { phase: "success" }, steps: [{ log: { size: 7 } }] });
  });

  it("never lies outside the time between its assignment and now, whatever the executor's clock says", () => {
    const play = Play.running(one());
    const assignment = play.assign("a");
    const assignedAt = play.task("a").attempts[0]?.assignedAt;
    play.tell({ type: "attempt-started", assignment, at: 1 });
    expect(play.task("a").startedAt).toBe(assignedAt);
    play.end("a", { finishedAt: play.now + 1e9 });
    expect(play.task("a").finishedAt).toBe(new Date(play.now).toISOString());
  });

  it("hands the outputs of its task on", () => {
    const play = Play.running(one());
    play.succeed("a", { outputs: { VERSION: "1.2" } });
    expect(play.task("a").outputs).toEqual({ VERSION: "1.2" });
  });
});

describe("reports of an assignment that is not the current one", () => {
  const stray = `${runId}-0-1-othersession`.slice(0, 45);

  it("change nothing", () => {
    const play = Play.running(one());
    play.assign("a");
    const { length } = play.effects;
    play.tell({ type: "attempt-started", assignment: stray, at: play.now });
    play.tell({ type: "attempt-progress", assignment: stray, setup: { phase: "running" }, steps: [] });
    expect(play.effects).toHaveLength(length);
  });

  it("are let go of at their end, so that nothing leaks", () => {
    const play = Play.running(one());
    play.assign("a");
    const outcome = { phase: "success", finishedAt: play.now, ranStep: true } as const;
    play.tell({ type: "attempt-ended", assignment: stray, executor: "other", pool: "p", outcome });
    expect(play.last).toEqual([
      { type: "settle-assignment", executor: "other", assignment: stray },
      { type: "send", to: { kind: "pool", id: "p" }, message: { type: "release", assignment: stray, executor: "other" } },
    ]);
    expect(play.task("a").status).toBe("notstarted");
  });

  it("find their executor by the attempt, where the report does not name it", () => {
    const play = Play.running(one({ retry: { limit: 1 } }));
    const first = play.assign("a");
    play.begin("a");
    play.end("a", { phase: "failed", reason: "exit_code" });
    play.tell({ type: "attempt-ended", assignment: first, outcome: { phase: "success", finishedAt: play.now, ranStep: true } });
    expect(effectsOf(play.last, "settle-assignment")).toMatchObject([{ executor: "executor-1", assignment: first }]);
  });

  it("are told to stop when they are only now assigned", () => {
    const play = Play.running(one());
    play.assign("a");
    play.tell({ type: "assigned", task: 0, attempt: 1, assignment: stray, executor: "other" });
    expect(play.last).toEqual([{ type: "stop-assignment", executor: "other", assignment: stray }]);
  });

  it("are recognised when the same assignment is told twice", () => {
    const play = Play.running(one());
    const assignment = play.assign("a");
    play.tell({ type: "assigned", task: 0, attempt: 1, assignment, executor: "executor-1" });
    expect(play.last).toEqual([]);
  });
});

describe("a retry", () => {
  it("follows a failure of the task's own while its budget lasts, after a back-off that grows", () => {
    const play = Play.running(one({ retry: { limit: 2, backoff: { base: "1s", factor: 3, max: "1h" } } }));
    play.fail("a");
    expect(play.task("a")).toMatchObject({ status: "running", waitingReason: { type: "backoff" } });
    play.wait(999);
    expect(play.taskState("a").stage).toBe("backoff");
    play.wait(1);
    expect(play.taskState("a").stage).toBe("requested");
    play.fail("a");
    play.wait(3000);
    play.fail("a");
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "exit_code", attempt: 3 });
  });

  it("is made at once where the back-off is nothing", () => {
    const play = Play.running(one({ retry: { limit: 1, backoff: { base: "0s" } } }));
    play.fail("a");
    expect(play.toPool(play.last)).toMatchObject([{ type: "release" }, { type: "request", attempt: 2 }]);
  });

  it("for what the platform did has a budget of its own, and prefers another executor", () => {
    const play = Play.running(one({ infraRetry: { limit: 1 } }));
    play.fail("a", { reason: "executor_lost" });
    play.wait(1000);
    expect(play.toPool(play.last)).toMatchObject([{ type: "request", attempt: 2, avoid: ["executor-1"] }]);
    play.fail("a", { reason: "pod_lost" });
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "pod_lost" });
    expect(play.toPool(play.last)).toMatchObject([{ type: "release", infrastructureFailure: true }]);
  });

  it("after the loss of its executor costs budget once its pod ran, though nobody can report a step", () => {
    const play = Play.running(one({ infraRetry: { limit: 0 } }));
    const assignment = play.assign("a");
    play.begin("a");
    play.tell({ type: "attempt-progress", assignment, setup: { phase: "success" }, steps: [{ phase: "running", startedAt: play.now }] });
    play.end("a", { phase: "failed", reason: "executor_lost", ranStep: false });
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "executor_lost" });
    expect(play.task("a").attempts[0]?.steps[0]).toMatchObject({ phase: "failed", finishedAt: expect.any(String) });
  });

  it("takes nothing from the other budget", () => {
    const play = Play.running(one({ retry: { limit: 1 }, infraRetry: { limit: 1 } }));
    for (const reason of ["exit_code", "evicted"] as const) {
      play.fail("a", { reason });
      play.wait(60_000);
    }
    expect(play.taskState("a").stage).toBe("requested");
    play.fail("a");
    expect(play.task("a").status).toBe("failed");
  });

  it.each(["config", "image_permanent", "internal"] as const)("never follows %s", (reason) => {
    const play = Play.running(one({ retry: { limit: 5 }, infraRetry: { limit: 5 } }));
    play.assign("a");
    play.end("a", { phase: "failed", reason, ranStep: false });
    expect(play.task("a")).toMatchObject({ status: "failed", reason });
  });

  it("costs no budget after an attempt that never ran a step, but there are at most ten of those", () => {
    const play = Play.running(one({ infraRetry: { limit: 0 } }));
    for (let attempt = 1; attempt <= 10; attempt++) {
      expect(play.task("a").status).toBe("notstarted");
      play.assign("a");
      play.end("a", { phase: "failed", reason: "image", ranStep: false });
      play.wait(300_000);
    }
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "image", attempt: 10 });
  });

  it("keeps its task running between attempts: the status has no event of its own", () => {
    const play = Play.running(one({ retry: { limit: 1 } }));
    play.fail("a");
    play.wait(1000);
    play.succeed("a");
    expect(taskEvents(play)).toEqual(["running", "1 running", "1 failed", "2 running", "2 success", "success"]);
  });

  it("follows a pod that was stopped though nobody asked for it", () => {
    const play = Play.running(one());
    play.assign("a");
    play.begin("a");
    play.end("a", { phase: "stopped", reason: "stopped" });
    expect(play.taskState("a")).toMatchObject({ stage: "backoff", attempts: [{ phase: "failed", reason: "pod_lost" }] });
  });

  it("of an earlier assignment is not disturbed by that one's session", () => {
    const play = Play.running(one({ retry: { limit: 1, backoff: { base: "0s" } } }));
    play.fail("a");
    expect(play.assign("a")).toBe(`${runId}-0-2-${session}`);
  });
});

describe("the pool's answers", () => {
  it("end a task that no executor took in time", () => {
    const play = Play.running(one());
    play.queueTimeout("a");
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "queue_timeout" });
    expect(play.view).toMatchObject({ phase: "finished", result: "failed" });
  });

  it("count for the attempt that was asked for only", () => {
    const play = Play.running(one());
    play.tell({ type: "queue-timeout", task: 0, attempt: 2 });
    play.tell({ type: "withdrawn", task: 0, attempt: 1 });
    play.tell({ type: "assigned", task: 99, attempt: 1, assignment: `${runId}-99-1-x`, executor: "e" });
    expect(play.taskState("a").stage).toBe("requested");
  });
});
