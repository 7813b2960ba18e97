import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startTestApi, type TestApi } from "./api.ts";

const Report = z.object({
  state: z.string(),
  checks: z.array(z.object({ check: z.string(), state: z.string(), message: z.string(), advice: z.string().nullable() })),
});

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({}, ["--appendonly", "yes", "--maxmemory", "100mb"]);
});
afterAll(() => api.close());

async function report() {
  const response = await api.request("/api/v1/doctor");
  expect(response.status).toBe(200);
  const { state, checks } = Report.parse(await response.json());
  return { state, checks: new Map(checks.map((found) => [found.check, found])) };
}

it("says what is missing, and nothing of it once it is there", async () => {
  const before = await report();
  expect(before.state).toBe("failed");
  expect(before.checks.get("shards")).toMatchObject({ state: "failed", message: "2 of 2 shards have no scheduler" });
  expect(before.checks.get("executors")).toMatchObject({ state: "warning", message: "no executor is alive: tasks wait" });

  await api.schedule();
  await api.execute();
  const after = await report();
  expect([...after.checks.values()].filter(({ advice }) => advice !== null)).toEqual([]);
  expect(after.state).toBe("ok");
  expect([...after.checks.keys()]).toEqual(expect.arrayContaining(["redis.eviction", "redis.clock", "object-storage", "index"]));
});
