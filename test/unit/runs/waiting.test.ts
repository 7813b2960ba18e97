import { describe, expect, it } from "vitest";
import { presentRun } from "../../../src/runs/present.ts";
import type { ExecutorSummary, WaitingContext } from "../../../src/runs/waiting-context.ts";
import { Play } from "../actors/run/play.ts";

const image = "x";

function executor(more: Partial<ExecutorSummary> = {}): ExecutorSummary {
  return {
    id: "e1",
    life: "active",
    archs: ["amd64"],
    labels: {},
    allowPrivileged: false,
    slots: 2,
    careful: false,
    liveAssignments: 2,
    ...more,
  };
}

function pool(executors: readonly ExecutorSummary[], positions: Record<number, number> = {}): WaitingContext {
  return { maintenance: false, pools: { default: { executors, positions } } };
}

function reason(task: Record<string, unknown>, context: WaitingContext) {
  const play = Play.running({ tasks: { a: { image, ...task } } });
  return presentRun(play.run, context).tasks.a?.waitingReason;
}

describe("a queued run waits", () => {
  const queued = Play.queued({ concurrency: { key: "deploy" }, tasks: { a: { image } } }).run;
  const queue = { key: "deploy", limit: 1, holders: ["run1"], position: 2 };

  it("for whoever holds its concurrency key", () => {
    const { waitingReason, tasks } = presentRun(queued, { maintenance: false, pools: {}, queue });
    expect(waitingReason).toEqual({
      type: "concurrency",
      message: 'the concurrency key "deploy" (at most 1) is held by run1, position 2 in its queue',
      key: "deploy",
      holders: ["run1"],
      position: 2,
    });
    expect(tasks.a?.waitingReason).toEqual(waitingReason);
  });

  it("for the end of maintenance", () => {
    expect(presentRun(queued, { maintenance: true, pools: {}, queue }).waitingReason?.type).toBe("maintenance");
  });

  it("for nothing but its turn", () => {
    expect(presentRun(queued, { maintenance: false, pools: {}, queue: { ...queue, holders: [] } }).waitingReason?.type).toBe("starting");
    expect(presentRun(queued).waitingReason?.type).toBe("starting");
  });
});

describe("a task waits", () => {
  it("for the parents that have not ended", () => {
    const play = Play.running({ tasks: { a: { image }, b: { image }, c: { image, depends: ["a", "b"] } } });
    play.succeed("a");
    expect(play.task("c").waitingReason).toEqual({ type: "dependency", message: "waits for b", tasks: ["b"] });
  });

  it("for a pool that has no executor", () => {
    expect(reason({ pool: "gpu" }, { maintenance: false, pools: { gpu: { executors: [], positions: {} } } })).toMatchObject({
      type: "no_executor",
      message: 'pool "gpu" has no executor: start one with OSTLER_EXECUTOR_POOL=gpu',
      unmet: [{ kind: "pool", name: "gpu", value: null }],
    });
  });

  it("for what the nearest executor does not offer", () => {
    const wanted = { runtime: { arch: "arm64", containers: [{ image, privileged: true }] }, image: undefined, labels: { size: "big" } };
    const near = executor({ id: "e2", archs: ["arm64"], allowPrivileged: true, labels: { size: "small" } });
    expect(reason(wanted, pool([executor(), near]))).toEqual({
      type: "no_executor",
      message: 'no executor of pool "default" offers the label size=big',
      unmet: [{ kind: "label", name: "size", value: "big" }],
    });
    expect(reason(wanted, pool([executor()]))).toMatchObject({
      unmet: [{ kind: "arch", value: "arm64" }, { kind: "label" }, { kind: "privileged" }],
    });
  });

  it("does not take a label arch for an architecture", () => {
    expect(reason({ labels: { arch: "amd64" } }, pool([executor({ liveAssignments: 0 })]))).toMatchObject({
      type: "no_executor",
      unmet: [{ kind: "label", name: "arch" }],
    });
  });

  it("for a free slot, and where it stands", () => {
    expect(reason({}, pool([executor(), executor({ id: "e2", slots: 1, liveAssignments: 1 })], { 0: 4 }))).toEqual({
      type: "executors_full",
      message: 'all 3 slots of the 2 fitting executors of pool "default" are taken, position 4 in the queue',
      busy: 3,
      limit: 3,
      position: 4,
    });
  });

  it("for an executor that has failed lately and gets one task at a time, and says so", () => {
    expect(reason({}, pool([executor({ slots: 1, careful: true, liveAssignments: 1 })]))).toMatchObject({
      type: "executors_full",
      message: expect.stringMatching(/^all 1 slots .* \(one task at a time on e1, where the last ones failed/),
    });
    // It still has more than it would be given now.
    expect(reason({}, pool([executor({ slots: 1, careful: true, liveAssignments: 2 })]))).toMatchObject({
      type: "executors_full",
      busy: 2,
    });
  });

  it("for an executor that takes new tasks", () => {
    expect(reason({}, pool([executor({ life: "cordoned" })]))).toMatchObject({ type: "no_executor", message: /e1 is cordoned/ });
  });

  it("for nothing but its turn", () => {
    expect(reason({}, pool([executor({ liveAssignments: 1 })]))).toMatchObject({ type: "starting" });
    expect(reason({}, { maintenance: false, pools: {} })).toMatchObject({ type: "starting" });
  });

  it("for the removal of a lost executor's pods, though they may still run", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.assign("a", "e1");
    play.begin("a");
    const seen = (life: ExecutorSummary["life"]) => presentRun(play.run, pool([executor({ life })])).tasks.a?.waitingReason;
    expect(seen("active")).toBeNull();
    expect(seen("lost")).toMatchObject({ type: "executor_lost", executorId: "e1" });
    expect(seen("suspect")).toMatchObject({ type: "executor_lost", message: "executor e1 does not answer" });
  });

  it("no more once it has ended", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.succeed("a");
    expect([play.task("a").waitingReason, play.view.waitingReason]).toEqual([null, null]);
  });
});

describe("a running run", () => {
  it("waits for what its first waiting task waits for, while it has no running pod", () => {
    const play = Play.running({ tasks: { a: { image }, b: { image } } });
    play.assign("a");
    expect(play.view.waitingReason).toMatchObject({ type: "pod_pending", message: 'task "a": executor executor-1 starts its pod' });
    play.begin("a");
    expect(play.view.waitingReason).toBeNull();
  });
});
