import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { type Fleet, heldStep, startFleet } from "./fleet.ts";
import { isAlive, shellsOf } from "./processes.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const task = () => ({ image: "none", steps: [heldStep] });
const remove = async (path: string) => {
  const response = await fleet.call("DELETE", `/executors/${path}`);
  return [response.status, response.status === 204 ? undefined : await response.json()] as const;
};

describe("deleting an executor", { timeout: 60_000 }, () => {
  it("is refused while it lives, with what works instead; by force it is fenced: it removes its pods and must register anew", async () => {
    await fleet.join("one");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const [first = 0] = await shellsOf(fleet);
    const before = await fleet.incarnationOf("one");
    expect(await remove("one")).toMatchObject([
      409,
      { code: "executor_not_lost", message: expect.stringMatching(/cordon .* or delete it with force/) },
    ]);
    expect((await remove("one?force=true"))[0]).toBe(204);
    await fleet.begun(2);
    expect(isAlive(first)).toBe(false);
    expect(await fleet.incarnationOf("one")).not.toBe(before);
    await fleet.go();
    const { result, tasks } = await fleet.finished(run);
    expect([result, tasks["build"]?.attempts[0]?.reason]).toEqual(["success", "executor_lost"]);
  });

  it("that is dead and lost takes effect with the proof that its pods are gone; a sibling removes them", async () => {
    const dead = await fleet.join("dead");
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    const [first = 0] = await shellsOf(fleet);
    await dead.kill();
    await fleet.reaches("dead", "lost");
    expect((await remove("dead"))[0]).toBe(204);
    expect([await fleet.stateOf("dead"), isAlive(first)]).toEqual(["lost", true]);
    await fleet.join("sibling");
    await fleet.reaches("dead", undefined);
    expect(isAlive(first)).toBe(false);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
  });

  it("by force lets its siblings remove its pods at once, since they have seen its record", async () => {
    const dead = await fleet.join("dead");
    await fleet.join("sibling", { env: { OSTLER_EXECUTOR_TASK_LIMIT: "1" } });
    const blind = await fleet.join("blind");
    const run = await fleet.submit({ a: task(), b: task(), c: task() });
    await fleet.begun(3);
    expect((await fleet.call("POST", "/executors/blind/cordon", {})).status).toBe(204);
    const pods = await fleet.podsIn("a");
    await dead.kill();
    await fleet.reaches("dead", "lost");
    expect((await remove("dead?force=true"))[0]).toBe(204);
    expect(await fleet.stateOf("dead")).toBeUndefined();
    const shells = await shellsOf(fleet);
    await until("the dead one's step is gone", () => shells.filter(isAlive).length === 2);
    expect(pods).toHaveLength(3);
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect(blind.isGone()).toBe(false);
  });
});

describe("cordoning an executor", { timeout: 60_000 }, () => {
  it("gives it nothing new, lets it finish, and with leaveWhenEmpty it goes; uncordoning takes that back", async () => {
    const one = await fleet.join("one", { env: { OSTLER_EXECUTOR_DYNAMIC: "true" } });
    const run = await fleet.submit({ build: task() });
    await fleet.begun(1);
    await fleet.call("POST", "/executors/one/cordon", {});
    const second = await fleet.submit({ later: task() });
    const waiting = async () => (await fleet.run(second)).tasks["later"]?.waitingReason;
    await until("the second run waits", async () => (await waiting())?.type === "no_executor");
    expect(await waiting()).toMatchObject({ type: "no_executor", message: expect.stringContaining("one is cordoned") });
    await fleet.call("POST", "/executors/one/uncordon", {});
    await fleet.begun(2);
    await fleet.call("POST", "/executors/one/cordon", { leaveWhenEmpty: true });
    await fleet.go();
    expect((await fleet.finished(run)).result).toBe("success");
    expect((await fleet.finished(second)).result).toBe("success");
    expect(await one.ended).toBeUndefined();
    await fleet.reaches("one", undefined);
  });
});
