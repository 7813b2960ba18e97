import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.schedule();
});
afterAll(() => api.close());

const create = (fields: Record<string, unknown> = {}) => api.post("/api/v1/runs", definition(fields));
const get = async (runId: string) => runOf(await api.request(`/api/v1/runs/${runId}`));
const reaches = (runId: string, phase: string) => until(`the run is ${phase}`, async () => (await get(runId)).phase === phase);
const switchTo = (method: "PUT" | "DELETE") => api.request("/api/v1/maintenance", { method });
const state = async (): Promise<unknown> => (await api.request("/api/v1/maintenance")).json();

it("starts no run and creates none until it ends, and what runs can be stopped meanwhile", async () => {
  const concurrency = { key: "one" };
  const first = (await runOf(await create({ concurrency }))).id;
  await reaches(first, "running");
  const queued = (await runOf(await create({ concurrency }))).id;

  const answer = await switchTo("PUT");
  expect([answer.status, await answer.json()]).toMatchObject([200, { maintenance: true, by: "local", since: expect.stringMatching(/Z$/) }]);
  const refused = await create();
  expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toMatchObject([503, "30", { code: "maintenance" }]);
  expect((await api.post(`/api/v1/runs/${first}/stop`, { force: true })).status).toBe(204);
  await reaches(first, "finished");
  expect((await get(queued)).waitingReason).toMatchObject({ type: "maintenance" });
  expect((await get(queued)).phase).toBe("queued");

  expect((await switchTo("DELETE")).status).toBe(204);
  await reaches(queued, "running");
  expect((await create()).status).toBe(201);
  expect(await state()).toEqual({ maintenance: false, since: null, by: null });
});

it("can be set and ended again and again", async () => {
  for (const method of ["PUT", "PUT", "DELETE", "DELETE"] as const) expect((await switchTo(method)).ok).toBe(true);
  expect(await state()).toMatchObject({ maintenance: false });
});

it("holds back what was created right before it, or has started it: nothing is lost in between", async () => {
  const created = Promise.all(Array.from({ length: 10 }, () => create({ tasks: {} })));
  await switchTo("PUT");
  const answers = await created;
  const ids = await Promise.all(answers.filter(({ status }) => status === 201).map(async (answer) => (await runOf(answer)).id));
  await switchTo("DELETE");
  for (const id of ids) await reaches(id, "finished");
});
