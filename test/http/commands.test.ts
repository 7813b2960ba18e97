import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import type { RunView } from "../../src/runs/view.ts";
import { until } from "../support/until.ts";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";

const keys = createKeys("{ostler}");
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.schedule();
});
afterAll(() => api.close());

const create = async (fields: Record<string, unknown> = {}) => (await runOf(await api.post("/api/v1/runs", definition(fields)))).id;
const get = async (runId: string) => runOf(await api.request(`/api/v1/runs/${runId}`));
const tell = (runId: string, verb: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.post(`/api/v1/runs/${runId}/${verb}`, body, headers);
const codeOf = async (response: Response) => [response.status, z.object({ code: z.string() }).parse(await response.json()).code];
const reaches = (runId: string, phase: RunView["phase"]) => until(`run is ${phase}`, async () => (await get(runId)).phase === phase);

/** Two runs under one key: the first runs (and waits for an executor), the second is queued. */
async function createTwo(key: string) {
  const concurrency = { key };
  const first = await create({ concurrency });
  await reaches(first, "running");
  return [first, await create({ concurrency })] as const;
}

const needsApproval = { tasks: { ship: { image: "node:24", needsApproval: true, steps: [] } } };

async function createWaiting() {
  const runId = await create(needsApproval);
  await until("the task waits for approval", async () => (await get(runId)).tasks["ship"]?.waitingApproval === true);
  return runId;
}

describe("stop", () => {
  it("ends a running run, answers 204 with the event after which that is seen, and again when repeated", async () => {
    const runId = await create();
    await reaches(runId, "running");
    const stopped = await tell(runId, "stop", { force: true });
    expect(stopped.status).toBe(204);
    expect(stopped.headers.get("ostler-event")).toMatch(/^[a-z0-9]+\.\d+-\d+$/);
    await reaches(runId, "finished");
    expect(await get(runId)).toMatchObject({ result: "stopped", tasks: { test: { status: "skipped", skipReason: { type: "stopped" } } } });
  });

  it("of a queued run is a conflict that says what would work, and cancel works", async () => {
    const [, queued] = await createTwo("stop-queued");
    const response = await tell(queued, "stop");
    const body = z.object({ code: z.string(), message: z.string() }).parse(await response.json());
    expect([response.status, body.code]).toEqual([409, "run_not_running"]);
    expect(body.message).toContain("cancel");
    expect((await tell(queued, "cancel")).status).toBe(204);
    expect(await get(queued)).toMatchObject({ phase: "cancelled", result: "unknown" });
  });

  it("of a run that is archived is a conflict", async () => {
    const runId = await create({ tasks: {} });
    const redis = createRedis(api.redis.url, "commands");
    await until("the run is archived", async () => (await redis.hexists(keys.run(runId), "archived")) === 1);
    redis.disconnect();
    expect(await codeOf(await tell(runId, "stop"))).toEqual([409, "run_not_running"]);
    expect(await codeOf(await tell(runId, "cancel"))).toEqual([409, "run_not_queued"]);
    expect((await get(runId)).archived).toBe(true);
  }, 60_000);
});

describe("cancel", () => {
  it("of a running run is a conflict", async () => {
    const runId = await create();
    await reaches(runId, "running");
    expect(await codeOf(await tell(runId, "cancel"))).toEqual([409, "run_not_queued"]);
  });
});

describe("approve and reject", () => {
  it("lets a waiting task go on, and says who did it and why", async () => {
    const runId = await createWaiting();
    expect((await tell(runId, "tasks/ship/approve", { message: "looks good" })).status).toBe(204);
    expect((await get(runId)).tasks["ship"]).toMatchObject({ waitingApproval: false, approval: { by: "local", message: "looks good" } });
  });

  it("is a conflict the second time, but a repeat of the same request is not", async () => {
    const runId = await createWaiting();
    const key = { "idempotency-key": "approve-1" };
    expect((await tell(runId, "tasks/ship/approve", undefined, key)).status).toBe(204);
    expect((await tell(runId, "tasks/ship/approve", undefined, key)).status).toBe(204);
    expect(await codeOf(await tell(runId, "tasks/ship/approve"))).toEqual([409, "not_waiting_approval"]);
  });

  it("skips a rejected task", async () => {
    const runId = await createWaiting();
    expect((await tell(runId, "tasks/ship/reject")).status).toBe(204);
    expect((await get(runId)).tasks["ship"]).toMatchObject({ status: "skipped", skipReason: { type: "rejected" } });
  });

  it("of an unknown task is a 404 of its own", async () => {
    const runId = await createWaiting();
    expect(await codeOf(await tell(runId, "tasks/nothing/approve"))).toEqual([404, "task_not_found"]);
  });
});

describe("restart", () => {
  it("is refused while the run has not ended", async () => {
    const runId = await create();
    expect(await codeOf(await tell(runId, "restart"))).toEqual([409, "run_not_restartable"]);
  });

  it("plans without creating, then creates a new run that is linked to the old one", async () => {
    const runId = await create({ environment: { A: "1", TOKEN: { secret: "s" } } });
    await reaches(runId, "running");
    await tell(runId, "stop");
    await reaches(runId, "finished");
    const plan = await api.post(`/api/v1/runs/${runId}/restart?plan=true`, { fromFailed: true });
    expect([plan.status, await plan.json()]).toMatchObject([200, { recreate: [{ task: "test" }], keep: [] }]);

    const kept = await tell(runId, "restart", { fromFailed: true });
    expect(kept.status).toBe(201);
    const restarted = await runOf(kept);
    expect(restarted).toMatchObject({ restartOf: runId, environment: { A: "1", TOKEN: { secret: "***" } } });
    expect(kept.headers.get("location")).toBe(`/api/v1/runs/${restarted.id}`);
    expect((await runOf(await tell(runId, "restart", { environment: {} }))).environment).toEqual({});
  });

  it("is the same run again under the same idempotency key", async () => {
    const runId = await create({ tasks: {} });
    await reaches(runId, "finished");
    const key = { "idempotency-key": "restart-1" };
    const [first, again] = [await tell(runId, "restart", {}, key), await tell(runId, "restart", {}, key)];
    expect([first.status, again.status]).toEqual([201, 200]);
    expect((await runOf(again)).id).toBe((await runOf(first)).id);
  });
});

describe("delete", () => {
  it("of a run that has not ended is a conflict", async () => {
    const runId = await create();
    const response = await api.request(`/api/v1/runs/${runId}`, { method: "DELETE" });
    expect(await codeOf(response)).toEqual([409, "run_not_terminal"]);
  });

  it("keeps the number taken, and the idempotency key too", async () => {
    const group = "/deletion/web";
    const key = { "idempotency-key": "deleted-1" };
    const runId = (await runOf(await api.post("/api/v1/runs", definition({ group, tasks: {} }), key))).id;
    await reaches(runId, "finished");
    expect((await api.request(`/api/v1/runs/${runId}`, { method: "DELETE" })).status).toBe(204);
    expect(await codeOf(await api.post("/api/v1/runs", definition({ group, tasks: {} }), key))).toEqual([409, "run_deleted"]);
    expect((await runOf(await api.post("/api/v1/runs", definition({ group, tasks: {} })))).number).toBe(2);
  });
});

describe("why a run waits", () => {
  it("says that there is no executor, and of which pool", async () => {
    const runId = await create();
    await reaches(runId, "running");
    const task = async () => (await get(runId)).tasks["test"]?.waitingReason;
    await expect.poll(task).toMatchObject({ type: "no_executor", message: expect.stringContaining('pool "default"') });
  });

  it("names the runs that hold its concurrency key, and its place behind them", async () => {
    const [first, second] = await createTwo("waiting");
    await expect
      .poll(async () => (await get(second)).waitingReason)
      .toMatchObject({ type: "concurrency", key: "waiting", holders: [first], position: 1 });
  });
});
