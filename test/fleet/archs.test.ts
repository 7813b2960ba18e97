import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { type Fleet, heldStep, startFleet } from "./fleet.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.close());

const task = (fields: Readonly<Record<string, unknown>>) => ({ image: "none", steps: [heldStep], ...fields });
const runtime = (fields: Readonly<Record<string, unknown>>) => ({
  steps: [heldStep],
  runtime: { containers: [{ image: "none" }], ...fields },
});
const arch = (name: string) => runtime({ arch: name });
const waits = async (run: string, name: string) => (await fleet.run(run)).tasks[name]?.waitingReason;
const archsOf = async () => (await fleet.json<{ readonly archs: readonly string[] }>("/executors/cluster")).archs;

it("follows architectures that come and go while an executor runs: what waits for a new one is placed, and what runs goes on", async () => {
  const cluster = await fleet.join("cluster", { archs: "amd64", env: { OSTLER_EXECUTOR_LABELS: "arch=arm64" } });
  const before = await fleet.incarnationOf("cluster");
  const run = await fleet.submit({ here: arch("amd64"), there: arch("arm64") });
  await fleet.begun(1);
  await until("the other task waits", async () => (await waits(run, "there"))?.type === "no_executor");
  expect(await waits(run, "there")).toMatchObject({ unmet: [{ kind: "arch", name: "arch", value: "arm64" }] });
  await cluster.setArchs("arm64,amd64");
  await fleet.begun(2);
  expect(await archsOf()).toEqual(["amd64", "arm64"]);
  await cluster.setArchs("arm64");
  await until("the executor offers one less", async () => (await archsOf()).length === 1);
  const late = await fleet.submit({ late: arch("amd64") });
  await until("a task for the one that went waits", async () => (await waits(late, "late"))?.type === "no_executor");
  expect((await fleet.run(run)).tasks["here"]?.status).toBe("running");
  await fleet.go();
  expect((await fleet.finished(run)).result).toBe("success");
  // A platform that does not say what it has changes nothing.
  await cluster.losePlatform();
  await cluster.setArchs("386");
  await cluster.findPlatform();
  await until("the platform's word counts again", async () => (await archsOf()).join() === "386");
  await cluster.setArchs("amd64");
  expect((await fleet.finished(late)).result).toBe("success");
  expect(await fleet.incarnationOf("cluster")).toBe(before);
}, 90_000);

it("never takes a label for an architecture, nor an architecture for a label", async () => {
  await fleet.join("labelled", { archs: "amd64", env: { OSTLER_EXECUTOR_POOL: "labelled", OSTLER_EXECUTOR_LABELS: "arch=arm64" } });
  const run = await fleet.submit({
    label: task({ pool: "labelled", labels: { arch: "amd64" } }),
    arch: { ...arch("arm64"), pool: "labelled" },
    fits: { ...arch("amd64"), pool: "labelled", labels: { arch: "arm64" } },
  });
  await until("the fitting one is done", async () => (await fleet.run(run)).tasks["fits"]?.status === "success");
  expect(await waits(run, "label")).toMatchObject({ type: "no_executor", unmet: [{ kind: "label", name: "arch", value: "amd64" }] });
  expect(await waits(run, "arch")).toMatchObject({ type: "no_executor", unmet: [{ kind: "arch", value: "arm64" }] });
}, 60_000);
