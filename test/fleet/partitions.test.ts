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
const passes = (ms: number) => {
  const at = performance.now() + ms;
  return until(`${ms} ms have passed`, () => performance.now() >= at, 60_000);
};

describe("an executor without Redis", { timeout: 60_000 }, () => {
  it.each([
    "cut",
    "freeze",
  ] as const)("(%s) is lost, its sibling cleans up after it, and nothing is doubled when it is back", async (how) => {
    const alone = await fleet.join("alone");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    await fleet.join("sibling");
    const [first = 0] = await shellsOf(fleet);
    alone.line[how]();
    await fleet.reaches("alone", "suspect");
    // It is only suspected: its pods go on.
    expect(isAlive(first)).toBe(true);
    await fleet.begun(2);
    expect(isAlive(first)).toBe(false);
    alone.line.heal();
    await fleet.reaches("alone", "active");
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, tasks["build"]?.attempts.map(({ executorId }) => executorId)]).toEqual(["success", ["alone", "sibling"]]);
    expect(await fleet.told("begin")).toHaveLength(2);
    expect(await fleet.told("overlap")).toEqual([]);
  });

  it("for less than a ttl goes on as if nothing had been", async () => {
    const alone = await fleet.join("alone");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const before = await fleet.incarnationOf("alone");
    alone.line.cut();
    await passes(ttlMs / 2);
    alone.line.heal();
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("begin")).toHaveLength(1);
    expect(await fleet.incarnationOf("alone")).toBe(before);
  });

  it("starts no pod of what it was given shortly before, and does when it is back in time", async () => {
    const alone = await fleet.join("alone", { env: { OSTLER_HEARTBEAT_TTL: "6s" } });
    const before = await fleet.incarnationOf("alone");
    alone.line.cut();
    const run = await fleet.submit({ build: task() });
    await until("it is given to it", async () => (await fleet.connection.hlen(fleet.keys.executorTodo("alone"))) === 1);
    await fleet.reaches("alone", "suspect");
    expect(await fleet.told("begin")).toEqual([]);
    alone.line.heal();
    await fleet.begun(1);
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, tasks["build"]?.attempts.length]).toEqual(["success", 1]);
    expect(await fleet.incarnationOf("alone")).toBe(before);
  });

  it("and without a sibling keeps its pods until it is told that it was lost; then its work runs again", async () => {
    const alone = await fleet.join("alone");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const [first = 0] = await shellsOf(fleet);
    alone.line.cut();
    await fleet.reaches("alone", "lost");
    expect(isAlive(first)).toBe(true);
    alone.line.heal();
    await fleet.begun(2);
    expect(isAlive(first)).toBe(false);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("overlap")).toEqual([]);
  });
});

describe("an executor that stays without Redis", { timeout: 60_000 }, () => {
  it("stops what it runs at the end of its fence time, although nobody tells it to", async () => {
    const alone = await fleet.join("alone", { env: { OSTLER_EXECUTOR_FENCE: "7s" } });
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    await until("its run knows that", async () => (await fleet.run(run)).tasks["build"]?.status === "running");
    const [shell = 0] = await shellsOf(fleet);
    alone.line.cut();
    const cutAt = performance.now();
    await until("its step is stopped", () => !isAlive(shell), 30_000);
    expect(performance.now() - cutAt).toBeGreaterThan(6_000);
    expect((await fleet.run(run)).tasks["build"]).toMatchObject({
      status: "running",
      attempt: 1,
      waitingReason: { type: "executor_lost" },
    });
    alone.line.heal();
    await fleet.begun(2);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
  });
});

describe("an executor without its platform", { timeout: 60_000 }, () => {
  it("proves nothing by lists that fail; what its dead sibling ran is retried once it sees again", async () => {
    const dying = await fleet.join("dying");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const blind = await fleet.join("blind");
    await blind.losePlatform();
    await dying.kill();
    await fleet.reaches("dying", "lost");
    await passes(2 * ttlMs);
    expect(await fleet.leftovers()).toMatchObject([{ executorId: "dying", cleaners: ["blind"] }]);
    expect(await fleet.told("begin")).toHaveLength(1);
    await blind.findPlatform();
    await fleet.begun(2);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(await fleet.told("overlap")).toEqual([]);
  });

  it("does not give up a pod that it may have started: the task says what is wrong, and fails to start once that is certain", async () => {
    const blind = await fleet.join("blind");
    await blind.losePlatform();
    const run = await fleet.submit({ build: task() });
    await fleet.join("seeing", { group: "b" });
    const setup = async () => (await fleet.call("GET", `/runs/${run}/tasks/build/logs?setup=true`)).text();
    await until("the setup's log says so", async () => (await setup()).includes("out of reach"));
    await passes(ttlMs);
    expect((await fleet.run(run)).tasks["build"]).toMatchObject({ attempt: 1, waitingReason: { type: "pod_pending" } });
    await blind.findPlatform();
    await fleet.begun(1);
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, tasks["build"]?.attempts]).toMatchObject([
      "success",
      [{ executorId: "blind", reason: "setup", message: expect.stringContaining("out of reach") }, { executorId: "seeing" }],
    ]);
  });

  it("that refuses to start pods fails them with its reason; the task is taken elsewhere, at no cost of its own budget", async () => {
    const full = await fleet.join("full");
    await full.refuseStarts();
    const run = await fleet.submit({ build: task({ retry: { limit: 0 }, infraRetry: { limit: 0 } }) });
    const first = async () => (await fleet.run(run)).tasks["build"]?.attempts[0];
    await until("the first attempt has failed", async () => (await first())?.phase === "failed");
    expect(await first()).toMatchObject({ executorId: "full", reason: "setup", message: expect.stringContaining("no room") });
    await fleet.join("roomy", { group: "b" });
    await fleet.begun(1);
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, tasks["build"]?.attempts.at(-1)?.executorId]).toEqual(["success", "roomy"]);
  });
});

describe("a Redis that is away for several ttls", { timeout: 60_000 }, () => {
  const works = async (outage: () => Promise<void>) => {
    await Promise.all([fleet.join("one"), fleet.join("two"), fleet.join("far", { group: "b" })]);
    const run = await fleet.submit({ a: task(), b: task(), c: task() });
    await fleet.begun(3);
    const incarnations = () => Promise.all(["one", "two", "far"].map(fleet.incarnationOf));
    const before = await incarnations();
    await outage();
    // Long enough for whoever is suspected wrongly to be declared lost.
    await passes(3 * ttlMs);
    expect(await incarnations()).toEqual(before);
    for (const id of ["one", "two", "far"]) await fleet.reaches(id, "active");
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, Object.values(tasks).map(({ attempts }) => attempts.length)]).toEqual(["success", [1, 1, 1]]);
    expect(await fleet.told("begin")).toHaveLength(3);
  };

  it("leaves nobody lost when it was frozen", () =>
    works(async () => {
      fleet.redis.kill("SIGSTOP");
      await passes(3 * ttlMs);
      fleet.redis.kill("SIGCONT");
    }));

  it("leaves nobody lost when it was killed, and every heartbeat had expired", () =>
    works(async () => {
      fleet.redis.kill("SIGKILL");
      await passes(2 * ttlMs);
      await fleet.redis.restart();
    }));
});
