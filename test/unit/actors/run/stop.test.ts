import { describe, expect, it } from "vitest";
import { effectsOf, runId } from "./fixtures.ts";
import { Play } from "./play.ts";

const image = "x";
const always = { image, depends: { a: "always" } };
const stop = { type: "stop", by: "ann", force: false } as const;
const force = { ...stop, force: true } as const;

describe("stop", () => {
  it("skips what never ran, and ends the run with the last live assignment", () => {
    const play = Play.running({ tasks: { a: { image }, b: { image, depends: ["a"] } } });
    const assignment = play.assign("a");
    play.begin("a");
    expect(play.tell(stop)).toEqual({ ok: true });
    expect(effectsOf(play.last, "stop-assignment")).toEqual([{ type: "stop-assignment", executor: "executor-1", assignment }]);
    expect(play.view).toMatchObject({ phase: "running", result: "stopped", stopping: true });
    expect(play.task("b")).toMatchObject({ status: "skipped", skipReason: { type: "stopped" } });
    play.end("a", { phase: "stopped", reason: "stopped" });
    expect(play.task("a")).toMatchObject({ status: "stopped", reason: "stopped" });
    expect(play.view).toMatchObject({ phase: "finished", result: "stopped", stopping: false });
  });

  it("is accepted again while the run is stopping, and changes nothing then", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.assign("a");
    play.tell(stop);
    expect(play.tell(stop)).toEqual({ ok: true });
    expect(play.last).toEqual([]);
  });

  it("leaves a task that the pool was asked for to the pool's answer", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.tell(stop);
    expect(play.toPool(play.last)).toEqual([{ type: "withdraw", run: runId, task: 0, attempt: 1 }]);
    expect(play.view.phase).toBe("running");
    play.withdrawn("a");
    expect(play.task("a")).toMatchObject({ status: "skipped", attempts: [] });
    expect(play.view).toMatchObject({ phase: "finished", result: "stopped" });
  });

  it("stops an assignment that the pool had made meanwhile", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.tell(stop);
    const assignment = play.assign("a");
    expect(effectsOf(play.last, "stop-assignment")).toMatchObject([{ assignment }]);
    play.end("a", { phase: "stopped", ranStep: false });
    expect(play.task("a").status).toBe("stopped");
  });

  it("ends a task in back-off at once: stopped if it ever ran, else skipped", () => {
    const play = Play.running({ tasks: { a: { image }, b: { image } } });
    play.fail("a", { reason: "evicted" });
    play.assign("b");
    play.end("b", { phase: "failed", reason: "image", ranStep: false });
    play.tell(stop);
    expect(play.statuses).toEqual({ a: "stopped", b: "skipped" });
  });

  it("never leads to a retry, whatever the attempt ends as", () => {
    const play = Play.running({ tasks: { a: { image, retry: { limit: 5 } }, b: { image } } });
    for (const task of ["a", "b"]) {
      play.assign(task);
      play.begin(task);
    }
    play.tell(stop);
    play.end("a", { phase: "failed", reason: "exit_code", exitCode: 143 });
    play.end("b", { phase: "failed", reason: "executor_lost" });
    expect(play.statuses).toEqual({ a: "failed", b: "stopped" });
    expect(play.view).toMatchObject({ phase: "finished", result: "stopped" });
  });

  it("keeps a success that came first", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.assign("a");
    play.begin("a");
    play.tell(stop);
    play.end("a");
    expect(play.task("a").status).toBe("success");
  });

  it("lets tasks with an always condition run when their parents have ended, and their always children", () => {
    const play = Play.running({
      tasks: { a: { image }, clean: always, after: { image, depends: { clean: "always" } }, no: { image, depends: ["clean"] } },
    });
    play.assign("a");
    play.begin("a");
    play.tell(stop);
    expect(play.statuses).toMatchObject({ clean: "notstarted", after: "notstarted", no: "skipped" });
    play.end("a", { phase: "stopped" });
    play.succeed("clean");
    play.succeed("after");
    expect(play.view).toMatchObject({ phase: "finished", result: "stopped" });
  });

  it("does not wait for an approval, nor start what needs one", () => {
    const play = Play.running({ tasks: { a: { image }, clean: { ...always, needsApproval: true } } });
    play.assign("a");
    play.tell(stop);
    expect(play.task("clean")).toMatchObject({ status: "skipped", waitingApproval: false });
  });

  it("leaves an always task alone that runs already, until it is forced", () => {
    const play = Play.running({ tasks: { a: { image }, clean: always, more: { image, depends: { clean: "always" } } } });
    play.succeed("a");
    play.assign("clean");
    play.begin("clean");
    play.tell(stop);
    expect(effectsOf(play.last, "stop-assignment")).toEqual([]);
    play.tell(force);
    expect(effectsOf(play.last, "stop-assignment")).toHaveLength(1);
    expect(play.task("more").status).toBe("skipped");
  });

  it("does not turn a failed result into stopped", () => {
    const play = Play.running({ tasks: { a: { image }, b: { image } } });
    play.fail("a");
    play.tell(stop);
    play.withdrawn("b");
    expect(play.view.result).toBe("failed");
  });

  it("of an attempt that is being stopped because it took too long is not told twice, but no retry follows", () => {
    const play = Play.running({ tasks: { a: { image, timeout: "1m", retry: { limit: 3 } } } });
    play.assign("a");
    play.begin("a");
    play.wait(60_000);
    play.tell(stop);
    expect(effectsOf(play.effects, "stop-assignment")).toHaveLength(1);
    play.end("a", { phase: "stopped" });
    expect(play.task("a").status).toBe("stopped");
  });

  it.each([
    ["queued", "run_not_running", /cancel it/],
    ["finished", "run_not_running", /ended/],
  ])("of a %s run is refused", (phase, code, message) => {
    const play = phase === "queued" ? Play.queued({ tasks: {} }) : Play.running({ tasks: {} });
    expect(play.tell(stop)).toMatchObject({ ok: false, code, message: expect.stringMatching(message) });
  });

  it("is accepted again after the run has ended by it, from the same request", () => {
    const play = Play.running({ tasks: { a: { image, needsApproval: true } } });
    play.tell({ ...stop, requestId: "r1" });
    expect(play.view.phase).toBe("finished");
    expect(play.tell({ ...stop, requestId: "r1" })).toEqual({ ok: true });
    expect(play.tell({ ...stop, requestId: "r2" })).toMatchObject({ ok: false });
  });
});

describe("cancel", () => {
  const cancel = { type: "cancel", by: "ann", requestId: "r1" } as const;

  it("ends a queued run with all its tasks, and its result stays unknown", () => {
    const play = Play.queued({ tasks: { a: { image }, b: { image, depends: ["a"] }, c: { image, skip: true } } });
    expect(play.tell({ ...cancel, reason: "superseded" })).toEqual({ ok: true });
    expect(play.statuses).toEqual({ a: "cancelled", b: "cancelled", c: "skipped" });
    expect(play.view).toMatchObject({ phase: "cancelled", result: "unknown", reason: "superseded", startedAt: null });
    expect(effectsOf(play.last, "send")).toMatchObject([{ message: { type: "run-ended", run: runId } }]);
    expect(effectsOf(play.last, "record")).toMatchObject([{ id: `archive:${runId}` }]);
  });

  it("of a running run says that it must be stopped", () => {
    const play = Play.running({ tasks: { a: { image } } });
    expect(play.tell(cancel)).toMatchObject({ ok: false, code: "run_not_queued", message: expect.stringMatching(/stop it/) });
  });

  it("is accepted again from the same request only", () => {
    const play = Play.queued({ tasks: { a: { image } } });
    play.tell(cancel);
    expect(play.tell(cancel)).toEqual({ ok: true });
    expect(play.tell({ ...cancel, requestId: "r2" })).toMatchObject({ ok: false, code: "run_not_queued" });
  });

  it("is not undone by a start that comes later", () => {
    const play = Play.queued({ tasks: { a: { image } } });
    play.tell(cancel);
    play.tell({ type: "start" });
    expect(play.view.phase).toBe("cancelled");
  });
});
