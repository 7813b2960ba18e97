import { describe, expect, it } from "vitest";
import { effectsOf, runId } from "./fixtures.ts";
import { Play } from "./play.ts";

const image = "x";
const day = 86_400_000;
const quarantine = { type: "quarantine", reason: "a message threw" } as const;

function quarantined(): Play {
  const play = Play.running({ tasks: { a: { image, retry: { limit: 5 } }, b: { image }, c: { image, depends: ["a"] } } });
  play.assign("a");
  play.begin("a");
  play.tell(quarantine);
  return play;
}

describe("a quarantined run", () => {
  it("stops its attempts, takes its requests back and gives its place up", () => {
    const play = quarantined();
    expect(effectsOf(play.last, "stop-assignment")).toHaveLength(1);
    expect(play.toPool(play.last)).toMatchObject([{ type: "withdraw", task: 1 }]);
    expect(effectsOf(play.last, "send")[0]).toMatchObject({ to: { kind: "root-group" }, message: { type: "run-ended", run: runId } });
    expect(play.view).toMatchObject({ phase: "running", result: "unknown", quarantined: true });
  });

  it("goes on with nothing, though its attempts end", () => {
    const play = quarantined();
    play.end("a", { phase: "failed", reason: "exit_code" });
    play.withdrawn("b");
    expect(play.statuses).toEqual({ a: "failed", b: "skipped", c: "notstarted" });
    expect(play.view.phase).toBe("running");
  });

  it("fails after a day", () => {
    const play = quarantined();
    play.end("a", { phase: "stopped" });
    play.withdrawn("b");
    play.wait(day - 1);
    expect(play.view.phase).toBe("running");
    play.wait(1);
    expect(play.view).toMatchObject({ phase: "finished", result: "failed", reason: "internal" });
    expect(play.statuses).toEqual({ a: "stopped", b: "skipped", c: "skipped" });
  });

  it("fails as soon as an operator stops it", () => {
    const play = quarantined();
    play.end("a", { phase: "stopped" });
    expect(play.tell({ type: "stop", by: "ann", force: false })).toEqual({ ok: true });
    play.withdrawn("b");
    expect(play.view).toMatchObject({ phase: "finished", result: "failed", reason: "internal" });
  });

  it("accepts the operator's stop again from the same request, although it has ended by it", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.tell(quarantine);
    play.withdrawn("a");
    const stop = { type: "stop", by: "ann", force: false, requestId: "r1" } as const;
    expect(play.tell(stop)).toEqual({ ok: true });
    expect(play.view).toMatchObject({ phase: "finished", result: "failed" });
    expect(play.tell(stop)).toEqual({ ok: true });
    expect(play.tell({ ...stop, requestId: "r2" })).toMatchObject({ ok: false, code: "run_not_running" });
  });

  it("fails at once if it is being stopped already, always tasks included", () => {
    const play = Play.running({ tasks: { a: { image }, clean: { image, depends: { a: "always" } } } });
    play.assign("a");
    play.tell({ type: "stop", by: "ann", force: false });
    play.tell(quarantine);
    play.end("a", { phase: "stopped" });
    expect(play.statuses).toEqual({ a: "stopped", clean: "skipped" });
    expect(play.view).toMatchObject({ phase: "finished", result: "stopped", reason: "internal" });
  });

  it("starts nothing by an approval", () => {
    const play = Play.running({ tasks: { a: { image, needsApproval: true } } });
    play.tell(quarantine);
    expect(play.tell({ type: "approve", task: "a", by: "ann" })).toMatchObject({ ok: false, code: "conflict" });
    expect(play.toPool()).toEqual([]);
  });

  it("is put aside once, and never after its end", () => {
    const play = quarantined();
    play.tell(quarantine);
    expect(play.last).toEqual([]);
    const ended = Play.running({ tasks: {} });
    ended.tell(quarantine);
    expect(ended.view.quarantined).toBe(false);
  });

  it("that is queued does not start, and is cancelled in the end", () => {
    const play = Play.queued({ tasks: { a: { image } } });
    play.tell(quarantine);
    play.tell({ type: "start" });
    expect(play.view.phase).toBe("queued");
    play.wait(day);
    expect(play.view).toMatchObject({ phase: "cancelled", reason: "internal" });
  });
});
