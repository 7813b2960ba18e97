import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";

let api: TestApi;
let runId = "";
beforeAll(async () => {
  api = await startTestApi();
  runId = (await runOf(await api.post("/api/v1/runs", definition()))).id;
});
afterAll(() => api.close());

/** What a route is tried with. A route that is not here fails the test: whoever adds one says what it does with bad input. */
interface Row {
  /** A path whose things do not exist; undefined for routes without an id in their path. */
  readonly unknown?: string;
  /** For routes that take a body. */
  readonly body?: { readonly path: string; readonly status: number };
}

const none = "0".repeat(26);
const body = (path: string, status = 400) => ({ path, status });

const rows: Readonly<Record<string, Row>> = {
  "GET /healthz": {},
  "GET /readyz": {},
  "GET /metrics": {},
  "POST /api/v1/runs": { body: body("/api/v1/runs") },
  "POST /api/v1/runs/check": { body: body("/api/v1/runs/check") },
  "GET /api/v1/runs": {},
  "GET /api/v1/runs/:id": { unknown: `/api/v1/runs/${none}` },
  "DELETE /api/v1/runs/:id": { unknown: `/api/v1/runs/${none}` },
  "GET /api/v1/groups/:path/runs/:number": { unknown: "/api/v1/groups/%2Fno%2Fsuch/runs/1" },
  "GET /api/v1/runs/:id/definition": { unknown: `/api/v1/runs/${none}/definition` },
  "POST /api/v1/runs/:id/stop": { unknown: `/api/v1/runs/${none}/stop`, body: body("/api/v1/runs/RUN/stop") },
  "POST /api/v1/runs/:id/cancel": { unknown: `/api/v1/runs/${none}/cancel`, body: body("/api/v1/runs/RUN/cancel") },
  "POST /api/v1/runs/:id/restart": { unknown: `/api/v1/runs/${none}/restart`, body: body("/api/v1/runs/RUN/restart") },
  "POST /api/v1/runs/:id/tasks/:task/approve": {
    unknown: `/api/v1/runs/${none}/tasks/test/approve`,
    body: body("/api/v1/runs/RUN/tasks/test/approve"),
  },
  "POST /api/v1/runs/:id/tasks/:task/reject": {
    unknown: `/api/v1/runs/${none}/tasks/test/reject`,
    body: body("/api/v1/runs/RUN/tasks/test/reject"),
  },
  "GET /api/v1/runs/:id/events": { unknown: `/api/v1/runs/${none}/events` },
  "GET /api/v1/events": {},
  "GET /api/v1/runs/:id/tasks/:task/logs": { unknown: `/api/v1/runs/${none}/tasks/test/logs` },
  "DELETE /api/v1/runs/:id/tasks/:task/logs": { unknown: `/api/v1/runs/${none}/tasks/test/logs` },
  "GET /api/v1/runs/:id/artifacts": { unknown: `/api/v1/runs/${none}/artifacts` },
  "GET /api/v1/runs/:id/artifacts/:task/:name": { unknown: `/api/v1/runs/${none}/artifacts/test/report` },
  "GET /api/v1/groups": {},
  "GET /api/v1/executors": {},
  "GET /api/v1/executors/:id": { unknown: "/api/v1/executors/nobody" },
  "DELETE /api/v1/executors/:id": { unknown: "/api/v1/executors/nobody" },
  "POST /api/v1/executors/:id/cordon": { unknown: "/api/v1/executors/nobody/cordon", body: body("/api/v1/executors/nobody/cordon") },
  "POST /api/v1/executors/:id/uncordon": { unknown: "/api/v1/executors/nobody/uncordon", body: body("/api/v1/executors/nobody/uncordon") },
  "GET /api/v1/executor-groups": {},
  "GET /api/v1/executor-groups/:id": { unknown: "/api/v1/executor-groups/nowhere" },
  "GET /api/v1/pools": {},
  "GET /api/v1/pools/:id": { unknown: "/api/v1/pools/nowhere" },
  "POST /api/v1/sources": { body: body("/api/v1/sources", 415) },
  "GET /api/v1/sources/:id": { unknown: "/api/v1/sources/nothing" },
  "GET /api/v1/maintenance": {},
  "PUT /api/v1/maintenance": { body: body("/api/v1/maintenance") },
  "DELETE /api/v1/maintenance": {},
  "GET /api/v1/dead-letters": {},
  "GET /api/v1/dead-letters/:id": { unknown: "/api/v1/dead-letters/0.1-1" },
  "POST /api/v1/dead-letters/:id/replay": {
    unknown: "/api/v1/dead-letters/0.1-1/replay",
    body: body("/api/v1/dead-letters/0.1-1/replay"),
  },
  "DELETE /api/v1/dead-letters/:id": { unknown: "/api/v1/dead-letters/9999.1-1" },
  "GET /api/v1/doctor": {},
  "GET /api/v1/openapi.json": {},
  "GET /api/v1/docs": {},
  "GET /api/v1/docs/:file": { unknown: "/api/v1/docs/nothing.js" },
};

const unknowns = Object.entries(rows).flatMap(([route, { unknown }]) => (unknown === undefined ? [] : [[route, unknown] as const]));
const bodies = Object.entries(rows).flatMap(([route, row]) => (row.body ? [[route, row.body] as const] : []));

const error = { message: expect.any(String), code: expect.any(String), details: expect.any(Object) };

async function answerOf(method: string, path: string, init: RequestInit = {}) {
  const response = await api.request(path.replace("RUN", runId), { method, ...init });
  return { status: response.status, type: response.headers.get("content-type"), body: (await response.json()) as unknown };
}

const refused = (status: number) => ({ status, type: expect.stringContaining("application/json"), body: error });

/** Every route of the app, without middleware; the queue dashboard's own routes are not ours. */
function routeTable(): readonly string[] {
  const all = api.app.routes.filter(({ method, path }) => method !== "ALL" && !path.startsWith("/queues"));
  return [...new Set(all.map(({ method, path }) => `${method} ${path}`))];
}

function fill(path: string): string {
  return path.replace(":id", runId).replace(":task", "test").replace(/:\w+/, "x");
}

describe("every route", () => {
  it("is in the table of this test, and nothing else is", () => {
    expect(Object.keys(rows).sort()).toEqual([...routeTable()].sort());
  });

  it.each(Object.keys(rows))("%s refuses a query parameter that it does not know", async (route) => {
    const [method = "", path = ""] = route.split(" ");
    expect(await answerOf(method, `${fill(path)}?rubbish=1`)).toMatchObject(refused(400));
  });

  it.each(unknowns)("%s answers 404 where there is no such thing", async (route, path) => {
    expect(await answerOf(route.split(" ")[0] ?? "", path)).toMatchObject(refused(404));
  });

  it.each(bodies)("%s refuses a body that is rubbish, or has an unknown field", async (route, { path, status }) => {
    for (const text of ["{", '"text"', '{"rubbish":1}', '{"__proto__":{}}']) {
      const answer = await answerOf(route.split(" ")[0] ?? "", path, { body: text, headers: { "content-type": "application/json" } });
      expect(answer).toMatchObject(refused(status));
    }
  });
});

describe("what no route takes", () => {
  it("is 404 as JSON", async () => {
    for (const path of ["/", "/api", "/api/v1", "/api/v1/nothing", "/api/v1/runs/", "/api/v2/runs", "/queues/nothing/here"]) {
      expect(await answerOf("GET", path)).toMatchObject(refused(404));
    }
  });

  it("is 405 with the methods that the path does take", async () => {
    for (const [method, path, allow] of [
      ["PUT", "/api/v1/runs", "GET, HEAD, POST"],
      ["POST", `/api/v1/runs/${none}`, "DELETE, GET, HEAD"],
      ["OPTIONS", `/api/v1/runs/${none}/stop`, "POST"],
      ["DELETE", "/healthz", "GET, HEAD"],
    ] as const) {
      const response = await api.request(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")?.split(", ").sort().join(", ")).toBe(allow);
      expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
    }
  });
});
