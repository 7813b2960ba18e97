import { describe, expect, it } from "vitest";
import { createdAt, effectsOf, runId, storedRun } from "./fixtures.ts";
import { Play } from "./play.ts";

const chain = { tasks: { build: { image: "x" }, test: { image: "x", depends: ["build"] } } };

function pairs(play: Play) {
  return play.events.filter((event) => event.type === "run").map(({ phase, result }) => `${phase}/${result}`);
}

describe("a run", () => {
  it("shows running/unknown, running/success and finished/success, one event each", () => {
    const play = Play.running(chain);
    play.succeed("build");
    play.succeed("test");
    expect(pairs(play)).toEqual(["running/unknown", "running/success", "finished/success"]);
    expect(play.events.map(({ seq }) => seq)).toEqual(play.events.map((_, index) => index + 2));
  });

  it("asks the pool for a task only once all its parents have ended", () => {
    const play = Play.running(chain);
    expect(play.toPool()).toMatchObject([{ type: "request", task: 0, attempt: 1, root: "/project/web", runCreatedAt: createdAt }]);
    play.succeed("build");
    expect(play.toPool(play.last)).toMatchObject([{ type: "release" }, { type: "request", task: 1, attempt: 1 }]);
  });

  it("tells the pool what an executor must offer", () => {
    const task = { image: "x", pool: "big", labels: { gpu: "yes" }, queueTimeout: "1h", runtime: { arch: "arm64" } };
    const service = { image: "db", privileged: true };
    const play = Play.running({ priority: 3, tasks: { a: task, b: { runtime: { containers: [{ image: "x" }, service] } } } });
    expect(effectsOf(play.effects, "send").map(({ to }) => to.id)).toEqual(["big", "default"]);
    expect(play.toPool()).toMatchObject([
      { requirement: { arch: "arm64", labels: { gpu: "yes" } }, queueTimeoutMs: 3_600_000, priority: 3 },
      { requirement: { privileged: true } },
    ]);
  });

  it("is a success without tasks, and when conditions have skipped them all", () => {
    expect(pairs(Play.running({ tasks: {} }))).toEqual(["running/unknown", "running/success", "finished/success"]);
    const skipped = Play.running({ tasks: { a: { image: "x", skip: true }, b: { image: "x", depends: ["a"] } } });
    expect(skipped.view).toMatchObject({ phase: "finished", result: "success" });
  });

  it("fails at once with a task that does not ignore its failure, and goes on with what does not depend on it", () => {
    const play = Play.running({ tasks: { a: { image: "x" }, b: { image: "x" }, c: { image: "x", depends: ["a"] } } });
    play.fail("a");
    expect(play.view).toMatchObject({ phase: "running", result: "failed" });
    expect(play.statuses).toEqual({ a: "failed", b: "notstarted", c: "skipped" });
    play.succeed("b");
    expect(pairs(play)).toEqual(["running/unknown", "running/failed", "finished/failed"]);
  });

  it("keeps an ignored failure out of its result, though children see it", () => {
    const play = Play.running({
      tasks: {
        a: { image: "x", ignoreFailure: true },
        ok: { image: "x", depends: ["a"] },
        sad: { image: "x", depends: { a: "on_failure" } },
      },
    });
    play.fail("a");
    expect(play.statuses).toMatchObject({ a: "failed", ok: "skipped", sad: "notstarted" });
    play.succeed("sad");
    expect(play.view.result).toBe("success");
  });

  it("records its definition at creation, and its archive instead at its end, five seconds later each", () => {
    const play = Play.queued(chain);
    expect(effectsOf(play.last, "record")).toMatchObject([
      { id: `definition:${runId}`, work: { type: "write-definition", at: play.now + 5000 } },
    ]);
    play.tell({ type: "start" });
    play.succeed("build");
    play.succeed("test");
    expect(effectsOf(play.last, "unrecord")).toMatchObject([{ id: `definition:${runId}` }]);
    expect(effectsOf(play.last, "record")).toMatchObject([{ id: `archive:${runId}`, work: { type: "archive", at: play.now + 5000 } }]);
    expect(effectsOf(play.last, "send")).toContainEqual({
      type: "send",
      to: { kind: "root-group", id: "/project/web" },
      message: { type: "run-ended", run: runId },
    });
  });

  it("writes a row of the index when it starts and whenever its phase or result changes", () => {
    const play = Play.running({ annotations: { commit: "3f" }, ...chain });
    play.succeed("build");
    play.succeed("test");
    expect(effectsOf(play.effects, "row").map(({ row }) => row)).toMatchObject([
      { runId, number: 7, phase: "running", result: "unknown", annotations: { commit: "3f" }, taskCounts: { notstarted: 2 } },
      { phase: "finished", result: "success", taskCounts: { success: 2 }, finishedAt: expect.any(String) },
    ]);
  });

  it("with setup errors has no tasks, causes no event, and is archived", () => {
    const play = new Play(storedRun({ tasks: { a: { image: "x", depends: ["a"] } } }), ["tasks.a.depends: is a cycle"]);
    play.tell({ type: "create", number: 7 });
    play.tell({ type: "start" });
    expect(play.view).toMatchObject({
      phase: "setuperror",
      tasks: {},
      setupErrors: ["tasks.a.depends: is a cycle"],
      canRestartFromScratch: false,
    });
    expect(play.effects).toMatchObject([{ type: "record", id: `archive:${runId}` }]);
  });

  it("starts also when the message that creates it comes late", () => {
    const play = new Play(storedRun(chain));
    play.tell({ type: "start" });
    play.tell({ type: "create", number: 7 });
    expect(play.view.phase).toBe("running");
    expect(effectsOf(play.effects, "record")).toHaveLength(1);
  });

  it("starts once, however often it is told to", () => {
    const play = Play.running(chain);
    const { length } = play.effects;
    play.tell({ type: "start" });
    play.tell({ type: "create", number: 7 });
    expect(play.effects).toHaveLength(length);
  });

  it("keeps what a restart keeps, before it starts", () => {
    const kept = { build: { runId: "01kc8yq5000000abcdefghjkmn", attempt: 2, finishedAt: createdAt - 5000, outputs: { V: "1" } } };
    const play = Play.queued(chain, { restart: { of: "01kc8yq5000000abcdefghjkmn", fromFailed: true, kept } });
    expect(play.events).toMatchObject([{ type: "task", task: "build", status: "success", reason: "reused" }]);
    play.tell({ type: "start" });
    expect(play.toPool()).toMatchObject([{ type: "request", task: 1 }]);
    expect(play.task("build")).toMatchObject({ attempt: 2, outputs: { V: "1" }, reusedFrom: { runId: "01kc8yq5000000abcdefghjkmn" } });
  });
});

describe("skips", () => {
  it("name the parent whose status did not match, and spread", () => {
    const play = Play.running({
      tasks: {
        a: { image: "x" },
        b: { image: "x", depends: ["a"] },
        c: { image: "x", depends: ["b"] },
        d: { image: "x", depends: { c: "on_skipped" } },
      },
    });
    play.fail("a");
    expect(play.task("b").skipReason).toEqual({ type: "condition", message: '"a" ended as failed', task: "a" });
    expect(play.task("c").skipReason).toMatchObject({ task: "b" });
    expect(play.taskState("d").stage).toBe("requested");
  });

  it("wait until every parent has ended", () => {
    const play = Play.running({ tasks: { a: { image: "x" }, b: { image: "x" }, c: { image: "x", depends: ["a", "b"] } } });
    play.fail("a");
    expect(play.task("c").status).toBe("notstarted");
    play.succeed("b");
    expect(play.task("c").status).toBe("skipped");
  });
});
