import { describe, expect, it } from "vitest";
import { actor, effectsOf } from "./fixtures.ts";
import { Play } from "./play.ts";

const image = "x";
const minute = 60_000;

describe("deadlines", () => {
  it("stop an assignment that does not start in time, which is retried once its pod is proven gone", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.assign("a");
    play.wait(5 * minute - 1);
    expect(effectsOf(play.effects, "stop-assignment")).toEqual([]);
    play.wait(1);
    expect(effectsOf(play.last, "stop-assignment")).toHaveLength(1);
    expect(play.taskState("a").stage).toBe("assigned");
    play.end("a", { phase: "stopped", ranStep: false });
    expect(play.taskState("a")).toMatchObject({ stage: "backoff", attempts: [{ reason: "start_timeout" }] });
  });

  it("fail an attempt that takes too long, whoever notices it", () => {
    const play = Play.running({ tasks: { a: { image, timeout: "1h" }, b: { image } } });
    for (const task of ["a", "b"]) {
      play.assign(task);
      play.begin(task);
    }
    play.wait(60 * minute);
    play.end("a", { phase: "stopped" });
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "timeout", timedOut: true });
    play.end("b", { phase: "failed", reason: "timeout" });
    expect(play.task("b")).toMatchObject({ status: "failed", timedOut: true });
  });

  it("retry an attempt that took too long from the task's own budget", () => {
    const play = Play.running({ tasks: { a: { image, timeout: "1h", retry: { limit: 1 } } } });
    play.assign("a");
    play.begin("a");
    play.wait(60 * minute);
    play.end("a", { phase: "stopped" });
    expect(play.taskState("a").stage).toBe("backoff");
  });

  it("end an attempt that was told to stop after its grace and five minutes, without proof and so without a retry", () => {
    const play = Play.running({ tasks: { a: { image, stopGrace: "30s", retry: { limit: 5 } } } });
    play.assign("a");
    play.begin("a");
    play.tell({ type: "stop", by: "ann", force: false });
    play.wait(5 * minute + 29_999);
    expect(play.task("a").status).toBe("running");
    play.wait(1);
    expect(play.task("a")).toMatchObject({ status: "stopped", reason: "pod_lost" });
    expect(effectsOf(play.last, "settle-assignment")).toHaveLength(1);
    expect(play.view.phase).toBe("finished");
  });

  it("wait longer for the proof that an attempt that timed out is gone, then fail it for good", () => {
    const play = Play.running({ tasks: { a: { image, infraRetry: { limit: 5 } } } });
    play.assign("a");
    play.wait(5 * minute);
    play.wait(15 * minute + 9_999);
    expect(play.taskState("a").stage).toBe("assigned");
    play.wait(1);
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "pod_lost" });
  });

  it("retry an assignment whose executor is lost while it is being stopped for its late start", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.assign("a");
    play.wait(11 * minute);
    play.end("a", { phase: "failed", reason: "executor_lost", ranStep: false });
    expect(play.taskState("a").stage).toBe("backoff");
  });

  it("end a run that takes too long as failed, and stop what it does", () => {
    const play = Play.running({
      timeout: "2h",
      tasks: { a: { image }, b: { image, depends: ["a"] }, c: { image, depends: { a: "always" } } },
    });
    play.assign("a");
    play.begin("a");
    play.wait(120 * minute);
    expect(play.view).toMatchObject({ phase: "running", result: "failed", reason: "run_timeout", timedOut: true, stopping: true });
    play.end("a", { phase: "stopped" });
    expect(play.task("a")).toMatchObject({ status: "stopped", reason: "run_timeout" });
    play.succeed("c");
    expect(play.view).toMatchObject({ phase: "finished", result: "failed" });
  });

  it("take a request back that the pool seems to have forgotten, and repeat that until it answers", () => {
    const play = Play.running({ tasks: { a: { image, queueTimeout: "1h" } } });
    play.wait(65 * minute);
    expect(play.toPool(play.last)).toMatchObject([{ type: "withdraw" }]);
    play.wait(5 * minute);
    expect(play.toPool(play.last)).toMatchObject([{ type: "withdraw" }]);
    play.withdrawn("a");
    expect(play.task("a")).toMatchObject({ status: "failed", reason: "queue_timeout" });
  });

  it("end a queued run that its root group seems to have forgotten", () => {
    const play = Play.queued({ queueTimeout: "1h", tasks: { a: { image } } });
    play.wait(65 * minute - 1001);
    expect(play.view.phase).toBe("queued");
    play.wait(1);
    expect(play.view).toMatchObject({ phase: "cancelled", reason: "queue_timeout" });
  });

  it("are a lower bound: an early or repeated tick changes nothing", () => {
    const play = Play.running({ tasks: { a: { image }, b: { image } } });
    play.assign("a");
    play.now += 1000;
    play.assign("b");
    play.end("a");
    play.tell({ type: "tick" });
    expect(play.last).toEqual([]);
    play.wait(5 * minute - 1);
    expect(effectsOf(play.effects, "stop-assignment")).toEqual([]);
    play.wait(1);
    expect(effectsOf(play.effects, "stop-assignment")).toHaveLength(1);
  });

  it("are there for everything that waits, and for nothing that has ended", () => {
    const play = Play.running({ tasks: { a: { image } } });
    expect(actor.deadline(play.state)).toBeGreaterThan(play.now);
    play.succeed("a");
    expect(actor.deadline(play.state)).toBeUndefined();
  });
});
