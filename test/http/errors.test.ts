import { Hono } from "hono";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { OstlerError } from "../../src/errors.ts";
import type { HttpEnv } from "../../src/http/env.ts";
import { onError } from "../../src/http/errors.ts";
import { requestId } from "../../src/http/request-id.ts";
import { startTestApi } from "./api.ts";

/** An app whose only route throws, and the lines that it logs. */
function throwing(error: unknown) {
  const logged: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
  const app = new Hono<HttpEnv>();
  app.onError(onError);
  app.use(requestId(log));
  app.get("/", (c) => {
    c.header("location", "/secret");
    c.header("ostler-event", "x.1-1");
    throw error;
  });
  return { app, logged };
}

async function answerTo(error: unknown) {
  const { app, logged } = throwing(error);
  const response = await app.request("/");
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown, logged };
}

function replyError(message: string): Error {
  const error = new Error(message);
  error.name = "ReplyError";
  return error;
}

describe("an error", () => {
  it("of ours is told with its status, code, message and details", async () => {
    const { status, body } = await answerTo(new OstlerError("run_not_found", "there is no run x", { details: { runId: "x" } }));
    expect({ status, body }).toEqual({
      status: 404,
      body: { code: "run_not_found", message: "there is no run x", details: { runId: "x" } },
    });
  });

  it.each([
    ["an exception", new Error("connect to postgres://user:hunter2@db failed")],
    ["a corrupt record of ours", z.object({ a: z.string() }).safeParse({}).error],
    ["a refusal that is internal", new OstlerError("internal", "hunter2")],
  ])("that nobody expected (%s) says nothing but the request's id, and is logged", async (_, error) => {
    const { status, headers, body, logged } = await answerTo(error);
    expect(status).toBe(500);
    expect(body).toEqual({ code: "internal", message: "internal server error", details: { requestId: headers.get("x-request-id") } });
    expect(logged.join()).toContain(headers.get("x-request-id") ?? "nothing");
    expect(JSON.stringify([...headers])).not.toMatch(/secret|hunter2/);
  });

  it("leaves none of the headers that were meant for a success", async () => {
    const { headers } = await answerTo(new OstlerError("conflict", "no"));
    expect([headers.get("location"), headers.get("ostler-event")]).toEqual([null, null]);
  });

  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", "overloaded"],
    ["LOADING Redis is loading the dataset in memory", "redis_unavailable"],
    ["READONLY You can't write against a read only replica.", "redis_unavailable"],
    ["MISCONF Redis is configured to save RDB snapshots", "redis_unavailable"],
  ])("of Redis (%s) is %s, with the time after which to try again", async (message, code) => {
    const { status, headers, body } = await answerTo(replyError(message));
    expect({ status, body }).toMatchObject({ status: 503, body: { code } });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it.each([
    ["not_confirmed", "1"],
    ["overloaded", "5"],
    ["maintenance", "30"],
    ["too_many_requests", "1"],
  ] as const)("%s says after how many seconds to try again", async (code, seconds) => {
    expect((await answerTo(new OstlerError(code, "later"))).headers.get("retry-after")).toBe(seconds);
  });

  it("of a script that is wrong is ours, not Redis's", async () => {
    expect((await answerTo(replyError("ERR wrong number of arguments"))).status).toBe(500);
  });
});

describe("while Redis is away", () => {
  it("answers 503 and goes on once it is back", async () => {
    const api = await startTestApi({}, ["--appendonly", "yes"]);
    try {
      api.redis.kill("SIGKILL");
      const response = await api.request("/api/v1/runs/01m3250v0000b03hgnn5c12hkn");
      expect([response.status, await response.json()]).toMatchObject([503, { code: "redis_unavailable" }]);
      expect(response.headers.get("retry-after")).toBe("2");
      expect((await api.request("/healthz")).status).toBe(200);
      await api.redis.restart();
      await expect.poll(async () => (await api.request("/api/v1/runs/01m3250v0000b03hgnn5c12hkn")).status, { timeout: 10_000 }).toBe(404);
    } finally {
      await api.close();
    }
  });
});
