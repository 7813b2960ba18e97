import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ostler } from "../cli/command.ts";
import { until } from "../support/until.ts";
import { type Fleet, heldStep, type Member, startFleet } from "./fleet.ts";

let fleet: Fleet;
let one: Member;
let run = "";
beforeAll(async () => {
  fleet = await startFleet();
  one = await fleet.join("one", { env: { OSTLER_EXECUTOR_TASK_LIMIT: "1", OSTLER_EXECUTOR_LABELS: "size=big" } });
  run = await fleet.submit({ build: { image: "none", steps: [heldStep] }, next: { image: "none", labels: { size: "big" }, steps: [] } });
  await fleet.begun(1);
});
afterAll(() => fleet.close());

const cli = (...words: readonly string[]) => ostler(words, { url: fleet.url });
const fails = (code: number, stderr: string | RegExp) => ({ code, stdout: "", stderr: expect.stringMatching(stderr) });

describe("ostler executors", () => {
  it("list shows state, load and group, as a table, names or data", async () => {
    const { stdout } = await cli("executors", "list");
    expect(stdout).toMatch(/^EXECUTOR +STATE +TASKS +POOL/);
    expect(stdout).toMatch(/^one +active +1\/1 +default .* ago +process +\S+ +size=big/m);
    expect((await cli("executors", "ls", "-o", "name")).stdout).toBe("one\n");
    expect(JSON.parse((await cli("executors", "list", "-o", "json")).stdout)).toMatchObject([{ id: "one", taskLimit: 1 }]);
  });

  it("get shows what it runs", async () => {
    const { stdout, stderr } = await cli("executors", "get", "one");
    expect(stdout).toMatch(new RegExp(`assignments:\\n {2}- id: \\S+\\n {4}runId: ${run}\\n {4}task: build\\n {4}attempt: 1`));
    expect([stderr, stdout]).toEqual(["", expect.stringContaining("explanation: null")]);
  });

  it("cordon and uncordon say what follows, and may be repeated", async () => {
    for (const _ of ["once", "again"]) {
      expect(await cli("executors", "cordon", "one")).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("ostler executors uncordon one"),
      });
    }
    expect((await cli("executors", "get", "one")).stderr).toBe("cordoned: it finishes what it has, and gets nothing new\n");
    expect(await cli("executors", "cordon", "one", "--leave-when-empty")).toMatchObject({
      code: 0,
      stderr: "one leaves when its last task has ended\n",
    });
    expect((await cli("executors", "list")).stdout).toMatch(/^one +draining/m);
    for (const _ of ["once", "again"])
      expect(await cli("executors", "uncordon", "one")).toMatchObject({ code: 0, stderr: "one gets tasks again\n" });
    expect((await cli("executors", "list")).stdout).toMatch(/^one +active/m);
  });

  it("delete refuses a living one and says what would work", async () => {
    expect(await cli("executors", "delete", "one")).toEqual(
      fails(9, /one is active; cordon it with leaveWhenEmpty .* or delete it with force/),
    );
  });

  it.each(["get", "cordon", "uncordon", "delete"])("%s of one that is not there is not found", async (verb) => {
    expect(await cli("executors", verb, "nobody")).toEqual(fails(7, "there is no executor nobody"));
  });
});

describe("ostler executor-groups and pools", () => {
  it("executor-groups list and get show members, siblings and heartbeats", async () => {
    const [id = ""] = (await cli("executor-groups", "list", "-o", "name")).stdout.split("\n");
    expect((await cli("executor-groups", "list")).stdout).toMatch(new RegExp(`^${id} +one \\(active\\)`, "m"));
    const { stdout } = await cli("executor-groups", "get", id);
    expect(stdout).toMatch(
      /members:\n {2}- executorId: one\n {4}pool: default\n {4}state: active\n {4}lastHeartbeatAt: 20\S+Z\n {4}siblings: \[\]\nleftovers: \[\]/,
    );
    expect(await cli("executor-groups", "get", "nowhere")).toEqual(fails(7, "there is no executor group nowhere"));
  });

  it("pools list and get show backlog by requirement, the oldest wait and free slots", async () => {
    await until("a task waits", async () => (await fleet.json<{ readonly waiting: number }>("/pools/default")).waiting === 1);
    expect((await cli("pools", "list")).stdout).toMatch(/^default +1 +\S+ +1\/1 +0 +one$/m);
    const pool = JSON.parse((await cli("pools", "get", "default", "-o", "json")).stdout);
    const backlog = [{ arch: null, labels: { size: "big" }, privileged: false, waiting: 1, oldestWaitSeconds: expect.any(Number) }];
    expect(pool).toMatchObject({ waiting: 1, freeSlots: 0, taskLimit: 1, liveAssignments: 1, backlog });
    expect(await cli("pools", "get", "nowhere")).toEqual(fails(7, "there is no pool nowhere"));
  });
});

describe("an executor that is gone", () => {
  it("is shown with why, when and who cleans up, until that is done", async () => {
    await one.kill();
    await fleet.reaches("one", "suspect");
    expect((await cli("executors", "get", "one")).stderr).toMatch(
      /^suspect: its heartbeat has expired: suspect since \S+Z, lost from \S+Z on unless it comes back/,
    );
    await fleet.reaches("one", "lost");
    expect((await cli("executors", "get", "one")).stderr).toMatch(
      /^lost: it was declared lost at \S+Z; its tasks are retried once its pods are gone: nobody alive sees them, so they count as gone at /,
    );
    expect((await cli("why", `${run}/build`)).stdout).toContain("executor one is lost");
    expect((await cli("executor-groups", "list")).stdout).toContain("nobody alive sees the pods of one");
    expect(await cli("executors", "cordon", "one")).toEqual(
      fails(9, "executor one is lost and gets nothing; delete it, or wait until it returns"),
    );
    const two = await fleet.join("two");
    await two.losePlatform();
    await until("its sibling is known", async () => (await cli("executors", "get", "one")).stderr.includes("two sees to that"));
    await two.findPlatform();
    await until("nothing is left", async () =>
      (await cli("executors", "get", "one")).stderr.includes("none of its pods is left; it stays known"),
    );
    expect(await cli("executors", "delete", "one")).toMatchObject({ code: 0, stderr: "deleted one\n" });
    expect((await cli("executors", "list", "-o", "name")).stdout).toBe("two\n");
  }, 60_000);
});
