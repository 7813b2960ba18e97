import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { type Fleet, heldStep, startFleet, ttlMs } from "./fleet.ts";
import { isAlive, shellsOf } from "./processes.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const task = (fields: Readonly<Record<string, unknown>> = {}) => ({ image: "none", steps: [heldStep], ...fields });

describe("two processes with one executor's id", { timeout: 60_000 }, () => {
  it("are one too many while the first lives: the second waits, and the first goes on undisturbed", async () => {
    const first = await fleet.join("one");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const before = await fleet.incarnationOf("one");
    const second = await fleet.launch("one");
    const launchedAt = performance.now();
    let isReady = false;
    second.ready.then(
      () => {
        isReady = true;
      },
      () => {},
    );
    await until("the first has renewed for more than a ttl", async () => {
      const renewed = await fleet.connection.pttl(fleet.keys.executorAlive("one"));
      return performance.now() > launchedAt + 1.5 * ttlMs && renewed > ttlMs / 2;
    });
    expect([isReady, await fleet.incarnationOf("one")]).toEqual([false, before]);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    await first.kill();
    await second.ready;
    expect(await fleet.incarnationOf("one")).not.toBe(before);
  });
  it("end with the superseded one, which exits at once and touches nothing: its successor has its pods", async () => {
    const first = await fleet.join("one");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    first.signal("SIGSTOP");
    await fleet.join("one");
    first.signal("SIGCONT");
    expect(await first.ended).toBe("Superseded");
    const [shell = 0] = await shellsOf(fleet);
    expect(isAlive(shell)).toBe(true);
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, tasks["build"]?.attempts.length]).toEqual(["success", 1]);
    expect(await fleet.told("begin")).toHaveLength(1);
  });
});

describe("a process that was frozen until it was lost", { timeout: 60_000 }, () => {
  it("removes its own pods when it wakes up, and comes back as new; its work is done once more at most, and never twice at a time", async () => {
    const frozen = await fleet.join("frozen");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const before = await fleet.incarnationOf("frozen");
    const [pod = ""] = await fleet.podsIn("a");
    frozen.signal("SIGSTOP");
    await fleet.reaches("frozen", "lost");
    // Its step ends well while nobody can see it, and that is what it will report first.
    await fleet.go();
    await until("the step has ended", async () => (await fleet.told("end")).length === 1);
    frozen.signal("SIGCONT");
    const { result, tasks } = await fleet.finished(run);
    expect(result).toBe("success");
    // What it reported as the lost one is refused. As the one that it is now it may tell it again (its pod is gone, and nothing
    // has replaced it), or prove that its pods are gone: then the work runs again.
    const attempts = tasks["build"]?.attempts ?? [];
    expect(attempts.slice(0, -1).every(({ reason }) => reason === "executor_lost" || reason === "pod_lost")).toBe(true);
    expect(await fleet.told("begin")).toHaveLength(attempts.length);
    expect(await fleet.incarnationOf("frozen")).not.toBe(before);
    expect(await fleet.podsIn("a")).not.toContain(pod);
    expect(await fleet.told("overlap")).toEqual([]);
  });

  it("finds its pods removed and its work done by its sibling, and doubles nothing", async () => {
    const frozen = await fleet.join("frozen");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    await fleet.join("sibling");
    frozen.signal("SIGSTOP");
    await fleet.begun(2);
    frozen.signal("SIGCONT");
    await fleet.reaches("frozen", "active");
    await fleet.go();
    const { tasks } = await fleet.finished(run);
    expect(tasks["build"]?.attempts.map(({ executorId }) => executorId)).toEqual(["frozen", "sibling"]);
    expect(await fleet.told("begin")).toHaveLength(2);
    expect(await fleet.told("overlap")).toEqual([]);
  });
});
