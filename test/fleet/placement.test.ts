import { afterAll, beforeAll, expect, it } from "vitest";
import { ostler } from "../cli/command.ts";
import { until } from "../support/until.ts";
import { type Fleet, heldStep, startFleet } from "./fleet.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.close());

const task = (fields: Readonly<Record<string, unknown>>) => ({ image: "none", steps: [heldStep], ...fields });
const quick = (fields: Readonly<Record<string, unknown>> = {}) => ({ image: "none", steps: [], ...fields });
const runtime = (fields: Readonly<Record<string, unknown>>) => ({
  steps: [heldStep],
  runtime: { containers: [{ image: "none" }], ...fields },
});
const arch = (name: string) => runtime({ arch: name });
interface Pool {
  readonly freeSlots: number;
  readonly waiting: number;
}
const poolOf = (id: string) => fleet.json<Pool>(`/pools/${id}`);

it("says through `ostler why` which requirement nobody meets", async () => {
  const privileged = runtime({ containers: [{ image: "none", privileged: true }] });
  await fleet.join("plain");
  const run = await fleet.submit({
    pool: task({ pool: "nowhere" }),
    arch: arch("arm"),
    label: task({ labels: { size: "huge" } }),
    root: privileged,
    two: { ...arch("arm"), labels: { size: "huge" } },
  });
  await until("all wait", async () => {
    const tasks = Object.values((await fleet.run(run)).tasks);
    return tasks.every(({ waitingReason }) => waitingReason?.type === "no_executor");
  });
  const why = async (name: string) => (await ostler(["why", `${run}/${name}`], { url: fleet.url })).stdout;
  expect(await why("pool")).toContain('pool "nowhere" has no executor: start one with OSTLER_EXECUTOR_POOL=nowhere');
  expect(await why("arch")).toContain('no executor of pool "default" offers the architecture arm');
  expect(await why("label")).toContain('no executor of pool "default" offers the label size=huge');
  expect(await why("root")).toContain('no executor of pool "default" offers privileged containers');
  expect(await why("two")).toContain("the architecture arm and the label size=huge");
}, 60_000);

it("is not held up by tasks that fit nobody, nor one root group by the many tasks of another", async () => {
  const pool = "fair";
  const env = { OSTLER_EXECUTOR_POOL: pool, OSTLER_EXECUTOR_TASK_LIMIT: "1" };
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`t${index}`, quick({ pool, steps: [{ run: "sleep 0.1" }] })]));
  const [unfit, crowd] = [
    await fleet.submit({ a: quick({ pool, labels: { size: "huge" } }) }),
    await fleet.submit(many, { group: "/crowd/x" }),
  ];
  const single = await fleet.submit({ a: quick({ pool }) }, { group: "/single/x" });
  await until("all wait", async () => (await poolOf(pool)).waiting === 22);
  await fleet.join("fair", { env });
  expect((await fleet.finished(single)).result).toBe("success");
  const left = Object.values((await fleet.run(crowd)).tasks).filter(({ status }) => status !== "success");
  expect(left.length).toBeGreaterThan(10);
  expect((await fleet.run(unfit)).tasks["a"]?.waitingReason?.type).toBe("no_executor");
}, 60_000);

it("is careful with an executor that fails: one task at a time, which is said, until one succeeds", async () => {
  const pool = "careful";
  const failing = await fleet.join("failing", { env: { OSTLER_EXECUTOR_POOL: pool } });
  expect((await poolOf(pool)).freeSlots).toBe(4);
  await failing.refuseStarts();
  const run = await fleet.submit({ a: quick({ pool }), b: quick({ pool }), c: quick({ pool }), d: quick({ pool }) });
  await until("it has failed three times in a row", async () => (await poolOf(pool)).freeSlots <= 1);
  const held = await fleet.submit(Object.fromEntries(["a", "b", "c"].map((name) => [name, task({ pool })])));
  await until("one has to wait, and says why", async () => {
    const tasks = Object.values((await fleet.run(held)).tasks);
    return tasks.some(({ waitingReason }) => waitingReason?.message.includes("one task at a time on failing"));
  });
  await failing.allowStarts();
  await fleet.go();
  expect([(await fleet.finished(run)).result, (await fleet.finished(held)).result]).toEqual(["success", "success"]);
  expect((await poolOf(pool)).freeSlots).toBe(4);
}, 60_000);
