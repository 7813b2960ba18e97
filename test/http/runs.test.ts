import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definition, idsIn, runOf, startTestApi, type TestApi } from "./api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ OSTLER_POOL_GROUPS: "gpu=/ml" });
});
afterAll(() => api.close());

const create = (fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  api.post("/api/v1/runs", definition(fields), headers);

describe("creating a run", () => {
  it("answers 201 with the run and where it is, without any scheduler", async () => {
    const response = await create();
    const run = await runOf(response);
    expect(response.status).toBe(201);
    expect(run).toMatchObject({ number: 1, group: "/project/web/branch/main", name: "build", phase: "queued", result: "unknown" });
    expect(response.headers.get("location")).toBe(`/api/v1/runs/${run.id}`);
    expect(response.headers.get("ostler-event")).toMatch(/^[a-z0-9]+\.\d+-\d+$/);
    expect(await (await api.request(`/api/v1/runs/${run.id}`)).json()).toEqual(run);
  });

  it("counts runs by root group", async () => {
    const numbers = [];
    for (const group of ["/count/a/x", "/count/a/y", "/count/b"]) numbers.push((await runOf(await create({ group }))).number);
    expect(numbers).toEqual([1, 2, 1]);
  });

  it("takes YAML as it takes JSON", async () => {
    const body = "name: build\ngroup: /project/yaml\ntasks: { test: { image: 'node:24', steps: [run: npm test] } }\n";
    const response = await api.request("/api/v1/runs", { method: "POST", body, headers: { "content-type": "application/yaml" } });
    expect(await runOf(response)).toMatchObject({ phase: "queued", tasks: { test: { status: "notstarted" } } });
  });

  it("goes on answering others while it reads much YAML", async () => {
    const steps = Array.from({ length: 90 }, (_, index) => `      - run: echo ${index} ${"x".repeat(30)}\n`).join("");
    const tasks = Array.from({ length: 60 }, (_, index) => `  t${index}:\n    image: node:24\n    steps:\n${steps}`).join("");
    const body = `name: build\ngroup: /project/yaml\ntasks:\n${tasks}`;
    let isDone = false;
    const init = { method: "POST", body, headers: { "content-type": "application/yaml" } };
    const checked = api.request("/api/v1/runs/check", init).finally(() => {
      isDone = true;
    });
    let answered = 0;
    for (; !isDone; answered++) {
      await api.request("/healthz");
      await new Promise(setImmediate);
    }
    expect(await (await checked).json()).toEqual({ setupErrors: [], locations: [] });
    expect(answered).toBeGreaterThan(50);
  });

  it("makes a definition that cannot work a run with setup errors", async () => {
    const run = await runOf(await create({ tasks: { test: { image: "node:24", depends: ["lint"] } } }));
    expect(run).toMatchObject({ phase: "setuperror", tasks: {}, canRestartFromScratch: false });
    expect(run.setupErrors.join()).toContain("no such task");
  });

  it("knows that files of an unknown source will not be there", async () => {
    const run = await runOf(await create({ source: "nowhere" }));
    expect(run.setupErrors).toEqual(["source: no files were uploaded under this id"]);
  });

  it("makes a run that asks for a pool that is closed to its group one with setup errors, and the check says so before", async () => {
    const closed = { group: "/project/web", tasks: { test: { image: "x", pool: "gpu" } } };
    const said = [expect.stringMatching(/^tasks\.test\.pool: pool "gpu" is only open to runs below \/ml, /)];
    expect(await runOf(await create(closed))).toMatchObject({ phase: "setuperror", setupErrors: said });
    expect(await (await api.post("/api/v1/runs/check", definition(closed))).json()).toMatchObject({ setupErrors: said });
    expect(await runOf(await create({ ...closed, group: "/ml/train" }))).toMatchObject({ phase: "queued" });
  });

  it("refuses what is malformed, naming the place and the nearest known field", async () => {
    const response = await create({ tasks: { test: { image: "node:24", needs: ["lint"] } } });
    expect(response.status).toBe(400);
    const body = await response.json();
    expect(body).toMatchObject({ code: "invalid_definition", details: { locations: [{ path: "tasks.test" }] } });
    expect(JSON.stringify(body)).toContain("depends");
  });
});

describe("an idempotency key", () => {
  const key = { "idempotency-key": "k-1" };

  it("makes the same run of the same request", async () => {
    const first = await create({}, key);
    const again = await create({}, key);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect((await runOf(again)).id).toBe((await runOf(first)).id);
  });

  it("is a conflict with another request", async () => {
    const response = await create({ name: "other" }, key);
    expect([response.status, (await response.json()) as unknown]).toMatchObject([409, { code: "idempotency_conflict" }]);
  });

  it("must be printable", async () => {
    expect((await create({}, { "idempotency-key": "two words" })).status).toBe(400);
  });
});

describe("checking a definition", () => {
  it("says what would keep it from working and where, and creates nothing", async () => {
    const before = await idsIn(await api.request("/api/v1/runs"));
    const response = await api.post("/api/v1/runs/check", definition({ tasks: { test: { image: "node:24", timeout: "soon" } } }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ locations: [{ path: "tasks.test.timeout" }] });
    expect(await idsIn(await api.request("/api/v1/runs"))).toEqual(before);
  });

  it("has nothing to say of one that can work", async () => {
    expect(await (await api.post("/api/v1/runs/check", definition())).json()).toEqual({ setupErrors: [], locations: [] });
  });
});

describe("secrets", () => {
  const secret = "hunter2-hunter2";

  it("are shown to nobody, and nowhere in Redis in the clear", async () => {
    const environment = { TOKEN: { secret }, PLAIN: "yes" };
    const run = await runOf(await create({ environment, tasks: { test: { image: "node:24", environment } } }));
    expect(run.environment).toEqual({ TOKEN: { secret: "***" }, PLAIN: "yes" });
    const shown = await (await api.request(`/api/v1/runs/${run.id}/definition`)).text();
    expect(shown).toContain("***");
    expect(shown).not.toContain(secret);
    expect(await everythingIn(api)).not.toContain(secret);
  });
});

describe("finding a run", () => {
  it("goes by number at or below a group, given as one encoded segment", async () => {
    const group = "/numbered/web/branch/feature%2Fx";
    const run = await runOf(await create({ group }));
    const at = async (path: string, number: string) =>
      (await api.request(`/api/v1/groups/${encodeURIComponent(path)}/runs/${number}`)).status;
    expect(await at(group, String(run.number))).toBe(200);
    expect(await at("/numbered/web", String(run.number))).toBe(200);
    expect(await at("/numbered/web/branch/other", String(run.number))).toBe(404);
    expect(await at(group, "99")).toBe(404);
    expect(await at(group, "x")).toBe(404);
  });

  it("answers a malformed id like an unknown one", async () => {
    for (const id of ["nope", "0".repeat(26), "%00", encodeURIComponent("../../etc")]) {
      const response = await api.request(`/api/v1/runs/${id}`);
      expect([response.status, await response.json()]).toMatchObject([404, { code: "run_not_found" }]);
    }
  });
});

/** Every key and value of the test's Redis, as text. */
async function everythingIn({ redis: { url } }: TestApi): Promise<string> {
  const { createRedis } = await import("../../src/redis/connection.ts");
  const redis = createRedis(url, "commands");
  const dumps = [];
  for (const key of await redis.keys("*")) {
    const type = await redis.type(key);
    if (type === "string") dumps.push(await redis.get(key));
    if (type === "hash") dumps.push(await redis.hgetall(key));
    if (type === "list") dumps.push(await redis.lrange(key, 0, -1));
    if (type === "stream") dumps.push(await redis.xrange(key, "-", "+"));
  }
  redis.disconnect();
  return JSON.stringify(dumps);
}
