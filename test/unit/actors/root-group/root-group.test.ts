import { describe, expect, it } from "vitest";
import { enqueue, rootGroup, stageRootGroup, told, underKey } from "./cast.ts";

describe("a run without a key", () => {
  it("starts at once, and nothing of it is kept", () => {
    const stage = stageRootGroup();
    expect(told(stage.tell(enqueue("a")).effects)).toEqual(["start a"]);
    stage.commit();
    expect(stage.stored()).toEqual({ state: null, parts: [{}] });
    expect(rootGroup.deadline(stage.state())).toBeUndefined();
  });
});

describe("a concurrency key", () => {
  it("lets as many run as its limit says, and the next one when one has ended", () => {
    const stage = stageRootGroup();
    expect(told(stage.tell(underKey("a", "queue", 2)).effects)).toEqual(["start a"]);
    expect(told(stage.tell(underKey("b", "queue", 2)).effects)).toEqual(["start b"]);
    expect(told(stage.tell(underKey("c", "queue", 2)).effects)).toEqual([]);
    expect(told(stage.tell({ type: "run-ended", run: "b" }).effects)).toEqual(["start c"]);
  });

  it("is not affected by other keys", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    expect(told(stage.tell(enqueue("b", { concurrency: { key: "other", limit: 1, policy: "queue" } })).effects)).toEqual(["start b"]);
  });

  it("starts waiting runs in order of priority, then age", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("c"));
    stage.tell(underKey("b"));
    stage.tell({ ...underKey("d"), priority: 1 });
    const order = ["a", "d", "b"].map((run) => told(stage.tell({ type: "run-ended", run }).effects));
    expect(order).toEqual([["start d"], ["start b"], ["start c"]]);
  });

  it("is counted once for a run that is enqueued twice", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("a"));
    stage.tell(underKey("b"));
    stage.tell(underKey("b"));
    expect(told(stage.tell({ type: "run-ended", run: "a" }).effects)).toEqual(["start b"]);
    expect(told(stage.tell({ type: "run-ended", run: "a" }).effects)).toEqual([]);
    expect(told(stage.tell({ type: "run-ended", run: "b" }).effects)).toEqual([]);
    stage.commit();
    expect(stage.stored()).toEqual({ state: null, parts: [{}] });
  });

  it("forgets a queued run that has ended, such as by a user's cancel", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("b"));
    stage.tell({ type: "run-ended", run: "b" });
    expect(told(stage.tell({ type: "run-ended", run: "a" }).effects)).toEqual([]);
  });
});

describe("the policy of a key", () => {
  it("cancel-queued cancels older runs that wait, and leaves the running one", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("b"));
    stage.tell(underKey("c"));
    expect(told(stage.tell(underKey("d", "cancel-queued")).effects)).toEqual(["cancel b superseded", "cancel c superseded"]);
    expect(told(stage.tell({ type: "run-ended", run: "a" }).effects)).toEqual(["start d"]);
  });

  it("cancel-running also stops the running one, and waits until it has ended", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("b"));
    expect(told(stage.tell(underKey("c", "cancel-running")).effects)).toEqual(["cancel b superseded", "stop a"]);
    expect(told(stage.tell({ type: "run-ended", run: "b" }).effects)).toEqual([]);
    expect(told(stage.tell({ type: "run-ended", run: "a" }).effects)).toEqual(["start c"]);
  });

  it("cancel-running stops nobody twice, and nobody while there is room", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a", "cancel-running", 2));
    expect(told(stage.tell(underKey("b", "cancel-running", 2)).effects)).toEqual(["start b"]);
    expect(told(stage.tell(underKey("c", "cancel-running", 2)).effects)).toEqual(["stop a"]);
    expect(told(stage.tell(underKey("d", "cancel-running", 2)).effects)).toEqual(["cancel c superseded"]);
  });

  it("cancel-running tells the running one to stop until it has ended, since a stop may come before its start", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"), 1_000);
    stage.tell(underKey("b", "cancel-running"), 2_000);
    expect(told(stage.tell({ type: "tick" }, 31_000).effects)).toEqual(["check-holder a", "stop a"]);
  });

  it("does not start a run that was told to cancel", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("b"));
    stage.tell(underKey("c", "cancel-queued"));
    stage.tell({ type: "run-ended", run: "c" });
    expect(told(stage.tell({ type: "run-ended", run: "a" }).effects)).toEqual([]);
  });
});

describe("maintenance", () => {
  it("holds back every run until it ends, then starts them within their keys' limits", () => {
    const stage = stageRootGroup();
    expect(stage.tell({ type: "maintenance", on: true }).reply).toEqual({ ok: true });
    for (const message of [enqueue("a"), underKey("b"), underKey("c"), enqueue("d")]) expect(stage.tell(message).effects).toEqual([]);
    const { effects, reply } = stage.tell({ type: "maintenance", on: false });
    expect([told(effects), reply]).toEqual([["start a", "start d", "start b"], { ok: true }]);
  });

  it("is remembered by the next owner", () => {
    const stage = stageRootGroup();
    stage.tell({ type: "maintenance", on: true });
    stage.commit();
    stage.takeOver("s2");
    expect(stage.tell(enqueue("a")).effects).toEqual([]);
  });

  it("starts nobody in place of a run that ends meanwhile", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"));
    stage.tell(underKey("b"));
    stage.tell({ type: "maintenance", on: true });
    expect(stage.tell({ type: "run-ended", run: "a" }).effects).toEqual([]);
    expect(told(stage.tell({ type: "maintenance", on: false }).effects)).toEqual(["start b"]);
  });
});

describe("a run that waits too long", () => {
  it("is told to cancel at its queue timeout, and is not started any more", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"), 1_000);
    stage.tell({ ...underKey("b"), createdAt: 1_000, queueTimeoutMs: 5_000 }, 1_000);
    expect(rootGroup.deadline(stage.state())).toBe(6_000);
    expect(told(stage.tell({ type: "tick" }, 5_999).effects)).toEqual([]);
    expect(told(stage.tell({ type: "tick" }, 6_000).effects)).toEqual(["cancel b queue_timeout"]);
    expect(told(stage.tell({ type: "run-ended", run: "a" }, 6_001).effects)).toEqual([]);
    stage.tell({ type: "run-ended", run: "b" }, 6_002);
    stage.commit();
    expect(stage.stored().state).toBeNull();
  });
});

describe("a place under a key cannot leak", () => {
  it("since its run is asked twice a minute whether it has ended", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"), 1_000);
    stage.tell(underKey("b"), 2_000);
    expect(rootGroup.deadline(stage.state())).toBe(31_000);
    expect(told(stage.tell({ type: "tick" }, 31_000).effects)).toEqual(["check-holder a"]);
    expect(rootGroup.deadline(stage.state())).toBe(61_000);
  });

  it("since a new owner asks at once", () => {
    const stage = stageRootGroup();
    stage.tell(underKey("a"), 1_000);
    stage.commit();
    stage.takeOver("s2");
    expect(told(stage.tell({ type: "taken-over" }, 1_001).effects)).toEqual(["check-holder a"]);
  });

  it("even among more holders than one tick asks", () => {
    const stage = stageRootGroup();
    const context = { now: 0, session: "s1" };
    for (let run = 0; run < 650; run++) {
      const { changes } = rootGroup.decide(stage.state(), underKey(`run-${run}`, "queue", 1_000), context);
      for (const change of changes) rootGroup.apply(stage.state(), change);
    }
    const asked = new Set<string>();
    const steps: number[] = [];
    for (let now = 30_000; asked.size < 650; now = rootGroup.deadline(stage.state()) ?? 0) {
      const checks = told(stage.tell({ type: "tick" }, now).effects);
      steps.push(checks.length);
      for (const check of checks) asked.add(check);
    }
    expect(steps).toEqual([300, 300, 50]);
  });
});
