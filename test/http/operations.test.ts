import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createMetrics } from "../../src/metrics.ts";
import { publishMetrics } from "../../src/publish-metrics.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { until } from "../support/until.ts";
import { definition, runOf, silent, startTestApi, type TestApi } from "./api.ts";

const keys = createKeys("{ostler}");
let api: TestApi;
let redis: RedisConnection;
beforeAll(async () => {
  api = await startTestApi({ OSTLER_EXECUTOR_ID: "one", OSTLER_EXECUTOR_GROUP: "here", OSTLER_EXECUTOR_LABELS: "size=big" });
  redis = createRedis(api.redis.url, "commands");
});
afterAll(async () => {
  redis.disconnect();
  await api.close();
});

const json = async (path: string, init?: RequestInit): Promise<unknown> => (await api.request(path, init)).json();
const metrics = async () => (await api.request("/metrics")).text();

describe("readiness", () => {
  it("says what is missing, one by one, and is there once all are", async () => {
    const before = await api.request("/readyz");
    expect([before.status, await before.json()]).toMatchObject([
      503,
      {
        code: "not_ready",
        message: expect.stringContaining("2 of 2 shards have no scheduler"),
        details: { checks: { redis: "ok", ost: "ok" } },
      },
    ]);
    await api.schedule();
    expect(await json("/readyz")).toEqual({ status: "ready", checks: { redis: "ok", ost: "ok", shards: "ok", index: "ok" } });
    expect(await json("/healthz")).toEqual({ status: "alive" });
  });
});

describe("executors", () => {
  it("are shown with what they said of themselves, and where they stand", async () => {
    await api.execute();
    const executor = {
      id: "one",
      pool: "default",
      groupId: "here",
      driver: "process",
      labels: { size: "big" },
      state: "active",
      liveAssignments: 0,
    };
    expect(await json("/api/v1/executors")).toMatchObject({ executors: [executor], nextCursor: null });
    expect(await json("/api/v1/executors/one")).toMatchObject({ ...executor, lastHeartbeatAt: expect.stringMatching(/Z$/) });
    expect(await json("/api/v1/executor-groups/here")).toMatchObject({
      id: "here",
      members: [{ executorId: "one", siblings: [] }],
      leftovers: [],
    });
  });

  it("are cordoned and uncordoned", async () => {
    const state = async () => z.object({ state: z.string() }).parse(await json("/api/v1/executors/one")).state;
    const cordon = await api.post("/api/v1/executors/one/cordon");
    expect(cordon.status).toBe(204);
    expect(cordon.headers.get("ostler-event")).toBeTruthy();
    expect(await state()).toBe("cordoned");
    expect((await api.post("/api/v1/executors/one/uncordon")).status).toBe(204);
    expect(await state()).toBe("active");
  });

  it("are not deleted while they live, unless by force", async () => {
    const response = await api.request("/api/v1/executors/one", { method: "DELETE" });
    expect([response.status, await response.json()]).toMatchObject([409, { code: "executor_not_lost" }]);
  });
});

describe("pools", () => {
  it("show what waits by requirement, for how long, and how many slots are free", async () => {
    const labels = { size: "huge" };
    await api.post(
      "/api/v1/runs",
      definition({ tasks: { a: { image: "x", labels }, b: { image: "x", labels }, c: { image: "x", runtime: undefined } } }),
    );
    const Pool = z.object({ waiting: z.number(), freeSlots: z.number(), backlog: z.array(z.unknown()) });
    const pool = async () => Pool.parse(await json("/api/v1/pools/default"));
    await expect.poll(async () => (await pool()).waiting).toBe(2);
    expect(await pool()).toMatchObject({
      freeSlots: expect.any(Number),
      backlog: [{ arch: null, labels, privileged: false, waiting: 2, oldestWaitSeconds: expect.any(Number) }],
    });
  });

  it("include those that tasks wait for and nobody serves", async () => {
    await api.post("/api/v1/runs", definition({ tasks: { a: { image: "x", pool: "empty" } } }));
    await expect
      .poll(async () => json("/api/v1/pools"))
      .toMatchObject({ pools: [{ id: "default" }, { id: "empty", waiting: 1, freeSlots: 0 }] });
  });
});

describe("metrics", () => {
  it("tell of requests by route, of the fleet, the backlog, Redis and the queues", async () => {
    await api.request("/api/v1/runs");
    const text = await metrics();
    expect(text).toMatch(/^ostler_http_request_seconds_count\{method="GET",route="\/api\/v1\/runs",status="200"\} \d+$/m);
    expect(text).toMatch(/^ostler_executors\{pool="default",state="active"\} 1$/m);
    expect(text).toMatch(/^ostler_tasks_waiting\{pool="empty",reason="no_executor"\} 1$/m);
    expect(text).toMatch(/^ostler_runs\{phase="running"\} \d+$/m);
    expect(text).toMatch(/^ostler_redis_memory_share 0$/m);
    expect(text).toMatch(/^ostler_queue_jobs\{queue="archive",state="\w+"\} \d+$/m);
    expect(text).toMatch(/^ostler_run_changes_total\{phase="queued",result="unknown"\} \d+$/m);
    expect(text).toMatch(/^ostler_scrape_failures 0$/m);
  });

  it("tell of the scheduler's commits, which another process counts", async () => {
    await expect.poll(metrics, { timeout: 12_000 }).toMatch(/^ostler_commit_seconds_count [1-9]\d*$/m);
  });

  it("tell of the executor's heartbeats, which a third process counts", async () => {
    await expect.poll(metrics, { timeout: 12_000 }).toMatch(/^ostler_heartbeat_seconds_count\{answered="true"\} [1-9]\d*$/m);
  });

  it("add up what all processes have published", async () => {
    const stop = new AbortController();
    for (const processId of ["a", "b"]) {
      const counted = createMetrics();
      counted.executor.orphanRemoved();
      await counted.registry.getMetricsAsJSON();
      const publishing = publishMetrics({ redis, keys, processId, metrics: counted, log: silent }, stop.signal);
      publishing.catch(() => undefined);
    }
    await until("both have published", async () => (await redis.exists(keys.metrics("a"), keys.metrics("b"))) === 2);
    stop.abort();
    expect(await metrics()).toMatch(/^ostler_orphans_removed_total 2$/m);
  });

  it("are told whatever odd things one process has published", async () => {
    for (const [id, text] of [
      ["x", "{"],
      ["y", '[{"name":"ostler_orphans_removed_total"}]'],
    ] as const) {
      await redis.set(keys.metrics(id), text, "PX", 30_000);
      await redis.zadd(keys.metricsPublishers, Date.now(), id);
    }
    expect(await metrics()).toMatch(/^ostler_orphans_removed_total 2$/m);
  });
});

describe("the queue dashboard", () => {
  it("shows every queue, the executors' too", async () => {
    expect(await (await api.request("/queues")).text()).toContain("ostler");
    const { queues } = z.object({ queues: z.array(z.object({ name: z.string() })) }).parse(await json("/queues/api/queues"));
    expect(queues.map(({ name }) => name).sort()).toEqual(["archive", "executor-one", "sweep"]);
  });

  it("loads its own files, and nothing from elsewhere", async () => {
    const page = await (await api.request("/queues")).text();
    const files = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)]
      .map(([, file = ""]) => file)
      .filter((file) => !file.startsWith("/queues/queue"));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(file).not.toMatch(/^https?:/);
    const script = files.find((file) => file.endsWith(".js")) ?? "";
    expect((await api.request(new URL(script, "http://localhost/queues/").pathname)).status).toBe(200);
  });

  it("changes nothing", async () => {
    for (const [method, path] of [
      ["PUT", "/queues/api/queues/archive/pause"],
      ["PUT", "/queues/api/queues/archive/obliterate"],
      ["POST", "/queues/api/queues/archive/add"],
    ]) {
      const response = await api.request(path ?? "", { method: method ?? "" });
      expect([response.status, await response.json()]).toMatchObject([403, { code: "forbidden", message: expect.any(String) }]);
    }
  });

  it("answers for what it does not have in our own words", async () => {
    for (const path of ["/queues/api/queues/nothing/1", "/queues/static/js/nothing.js"]) {
      const response = await api.request(path);
      expect([response.status, await response.json()]).toMatchObject([404, { code: "not_found", message: expect.any(String) }]);
    }
  });
});

describe("the description of the API", () => {
  it("is OpenAPI 3.1 and has every route, with the errors' shape", async () => {
    const Document = z.object({ openapi: z.literal("3.1.0"), paths: z.record(z.string(), z.record(z.string(), z.looseObject({}))) });
    const { paths } = Document.parse(await json("/api/v1/openapi.json"));
    expect(Object.keys(paths)).toContain("/api/v1/runs/{id}/tasks/{task}/approve");
    for (const operations of Object.values(paths)) {
      for (const operation of Object.values(operations)) {
        expect(operation).toMatchObject({ responses: { default: expect.anything() }, summary: expect.any(String) });
      }
    }
    expect(JSON.stringify(await json("/api/v1/openapi.json"))).toContain('"Run"');
  });

  it("is a page that needs nothing from elsewhere", async () => {
    const page = await (await api.request("/api/v1/docs")).text();
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = ""]) => file);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const response = await api.request(new URL(file, "http://localhost/api/v1/docs").pathname);
      expect([file, response.status]).toEqual([file, 200]);
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(50);
    }
  });
});

describe("sources", () => {
  const zstd = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x01, 0x00, 0x00, 0x99, 0xe9, 0xd8, 0x51]);
  const upload = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    api.request("/api/v1/sources", { method: "POST", body, headers: { "content-type": "application/zstd", ...headers } });

  it("are stored, and can be named by a run", async () => {
    const response = await upload(zstd);
    expect(response.status).toBe(201);
    const { id } = z.object({ id: z.string() }).parse(await response.json());
    expect(await json(response.headers.get("location") ?? "")).toEqual({ id, sizeBytes: zstd.length });
    expect(await runOf(await api.post("/api/v1/runs", definition({ source: id, tasks: {} })))).toMatchObject({ setupErrors: [] });
  });

  it("are stored once under one idempotency key", async () => {
    const id = async () => z.object({ id: z.string() }).parse(await (await upload(zstd, { "idempotency-key": "s-1" })).json()).id;
    expect(await id()).toBe(await id());
  });

  it("are a conflict with other files under the same idempotency key, which would be taken for these", async () => {
    const key = { "idempotency-key": "s-2" };
    expect((await upload(zstd, key)).status).toBe(201);
    const other = await upload(new Uint8Array([...zstd, 0]), key);
    expect([other.status, await other.json()]).toMatchObject([409, { code: "idempotency_conflict" }]);
  });

  it("must be zstd, and say so", async () => {
    expect((await upload(new Uint8Array([1, 2, 3, 4, 5]))).status).toBe(400);
    expect((await upload(new Uint8Array())).status).toBe(400);
    expect((await upload(zstd, { "content-type": "text/plain" })).status).toBe(415);
  });
});

describe("a Redis that is nearly full", () => {
  it("takes no new run, says why, and goes on with the rest", async () => {
    await redis.config("SET", "maxmemory", "1mb");
    // Until the next look at its memory, it is Redis itself that refuses.
    const refused = { code: "overloaded", message: expect.stringMatching(/\d+ %/) };
    await expect.poll(async () => (await api.post("/api/v1/runs", definition())).json()).toMatchObject(refused);
    const response = await api.post("/api/v1/runs", definition());
    expect(response.headers.get("retry-after")).toBe("5");
    expect((await api.request("/api/v1/runs")).status).toBe(200);
    await redis.config("SET", "maxmemory", "0");
    await expect.poll(async () => (await api.post("/api/v1/runs", definition())).status).toBe(201);
  });
});
