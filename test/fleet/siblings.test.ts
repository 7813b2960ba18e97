import { readdir } from "node:fs/promises";
import { join } from "node:path";
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
const tasks = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, task()]));
const dynamic = { env: { OSTLER_EXECUTOR_DYNAMIC: "true" } };

describe("an executor that dies", { timeout: 60_000 }, () => {
  it("is succeeded by its sibling: its pods go, its work runs again and never beside them, and its record goes if it is dynamic", async () => {
    const dying = await fleet.join("dying", dynamic);
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    await fleet.join("sibling");
    await dying.kill();
    await fleet.begun(2);
    const [first = 0, second = 0] = await shellsOf(fleet);
    expect([isAlive(first), isAlive(second)]).toEqual([false, true]);
    await fleet.reaches("dying", undefined);
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect(result).toBe("success");
    expect(tasks["build"]?.attempts).toMatchObject([
      { executorId: "dying", phase: "failed", reason: "executor_lost" },
      { executorId: "sibling", phase: "success" },
    ]);
    expect(await fleet.told("overlap")).toEqual([]);
  });

  it("keeps its record, as lost, if it is static; its log stays readable and says where it ends", async () => {
    const dying = await fleet.join("dying");
    const run = await fleet.submit({
      build: task({ steps: [{ run: "echo shipped" }, { ...heldStep, command: `echo partly\n${heldStep.command}` }] }),
    });
    await fleet.begun(1);
    const log = async (query: string) => (await fleet.call("GET", `/runs/${run}/tasks/build/logs?${query}`)).text();
    await until("what was written is shipped", async () => (await log("step=0")) + (await log("step=1")) === "shipped\npartly\n");
    await fleet.join("sibling");
    await dying.kill();
    await fleet.begun(2);
    expect(await log("step=0&attempt=1")).toBe("shipped\n");
    await fleet.go();
    await fleet.finished(run);
    await until("the interrupted step's log says where it ends", async () =>
      /^partly\n.*what followed is lost: executor_lost/s.test(await log("step=1&attempt=1")),
    );
    expect(await fleet.stateOf("dying")).toBe("lost");
    expect(await fleet.leftovers()).toEqual([]);
  });

  it("is not retried while nobody sees its pods: its task says so, and one who comes into its group brings the proof", async () => {
    const dying = await fleet.join("dying", dynamic);
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    await fleet.join("elsewhere", { group: "b" });
    await dying.kill();
    await fleet.reaches("dying", "lost");
    const waiting = (await fleet.run(run)).tasks["build"]?.waitingReason;
    expect(waiting).toMatchObject({ type: "executor_lost", executorId: "dying" });
    expect(await fleet.leftovers()).toMatchObject([
      { executorId: "dying", cleaners: [], message: expect.stringContaining("nobody alive sees the pods") },
    ]);
    const [first = 0] = await shellsOf(fleet);
    expect(isAlive(first)).toBe(true);
    expect(await fleet.told("begin")).toHaveLength(1);
    await fleet.join("newcomer");
    await fleet.begun(2);
    expect(isAlive(first)).toBe(false);
    await fleet.reaches("dying", undefined);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("overlap")).toEqual([]);
  });
});

describe("a whole group that dies", { timeout: 90_000 }, () => {
  it("is cleaned up by the one member that returns: its dynamic members' records go, all work is retried", async () => {
    const members = await Promise.all([fleet.join("returns"), fleet.join("two", dynamic), fleet.join("three", dynamic)]);
    const run = await fleet.submit(tasks(6));
    await fleet.begun(6);
    const before = await shellsOf(fleet);
    await Promise.all(members.map((member) => member.kill()));
    for (const id of ["returns", "two", "three"]) await fleet.reaches(id, "lost");
    expect(before.every(isAlive)).toBe(true);
    await fleet.join("returns", { env: { OSTLER_EXECUTOR_TASK_LIMIT: "6" } });
    await fleet.reaches("two", undefined);
    await fleet.reaches("three", undefined);
    await fleet.begun(12);
    expect(before.some(isAlive)).toBe(false);
    await fleet.go();
    const { result, tasks: ended } = await fleet.finished(run);
    expect(result).toBe("success");
    expect(Object.values(ended).map(({ attempts }) => attempts.at(-1)?.executorId)).toEqual(Array(6).fill("returns"));
    expect(await fleet.told("overlap")).toEqual([]);
    expect(await fleet.leftovers()).toEqual([]);
  });
});

describe("the living", { timeout: 60_000 }, () => {
  it("keep their pods whatever their siblings see, and whoever dies beside them", async () => {
    await fleet.join("living");
    const run = await fleet.submit(tasks(3));
    await fleet.begun(3);
    const dying = await fleet.join("dying", dynamic);
    await fleet.join("third");
    await dying.kill();
    await fleet.reaches("dying", undefined);
    const before = await shellsOf(fleet);
    expect(before.filter(isAlive)).toHaveLength(3);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("begin")).toHaveLength(3);
  });

  it("keep their pods and their lives although a sibling sees no pod at all", async () => {
    await fleet.join("living");
    const run = await fleet.submit(tasks(2));
    await fleet.begun(2);
    const blank = await fleet.join("blank");
    await blank.showNothing();
    const end = performance.now() + 3 * ttlMs;
    while (performance.now() < end) expect(await fleet.stateOf("living")).toBe("active");
    expect((await shellsOf(fleet)).filter(isAlive)).toHaveLength(2);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("begin")).toHaveLength(2);
  });

  it("remove pods that nobody owns: their own without an assignment soon, those of strangers after a whole fence time, others' never", async () => {
    await fleet.plant("a", { executor: "one" });
    const strange = await fleet.plant("a", { executor: "stranger" });
    await fleet.plant("a", { executor: "one", installation: "another" });
    const begun = performance.now();
    await fleet.join("one", { env: { OSTLER_EXECUTOR_FENCE: "8s" } });
    const see = (what: string, pods: readonly string[]) =>
      until(what, async () => (await fleet.podsIn("a")).join() === pods.join(), 30_000);
    await see("its own is removed", [strange]);
    await see("the stranger's is removed", []);
    expect(performance.now() - begun).toBeGreaterThan(8_000);
    expect((await readdir(join(fleet.folder, "pods-a"))).filter((name) => name.startsWith("planted-"))).toHaveLength(1);
  });

  it("keep their pods when another installation's executors share their platform", async () => {
    await fleet.join("one");
    const run = await fleet.submit(tasks(2));
    await fleet.begun(2);
    const other = await startFleet({ OSTLER_EXECUTOR_FENCE: "2s" }, { folder: fleet.folder });
    try {
      const dying = await other.join("one", dynamic);
      await other.join("two");
      const theirs = await other.submit({ build: task() });
      await other.begun(1);
      await dying.kill();
      await other.reaches("one", undefined);
      await other.go();
      expect((await other.finished(theirs)).result).toBe("success");
      expect(await other.podsIn("a")).toEqual([]);
    } finally {
      await other.close();
    }
    expect((await shellsOf(fleet)).filter(isAlive)).toHaveLength(2);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("begin")).toHaveLength(2);
  });
});
