import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { HttpEnv } from "../../src/http/env.ts";
import { onError } from "../../src/http/errors.ts";
import { requestLimit } from "../../src/http/request-limit.ts";
import { startTestApi, type TestApi } from "./api.ts";

describe("requests of one caller", () => {
  it("may come at once for a second's worth, then as fast as the limit says, whatever others do", async () => {
    let now = 0;
    const app = new Hono<HttpEnv>()
      .use((c, next) => {
        c.set("principal", { name: c.req.header("caller") ?? "", role: "admin" });
        return next();
      })
      .use(requestLimit(4, () => now))
      .get("/", (c) => c.text("ok"));
    app.onError(onError);
    const ask = async (caller: string, times: number) => {
      const statuses: number[] = [];
      for (let asked = 0; asked < times; asked++) statuses.push((await app.request("/", { headers: { caller } })).status);
      return statuses;
    };
    expect(await ask("a", 5)).toEqual([200, 200, 200, 200, 429]);
    expect(await ask("b", 1)).toEqual([200]);
    now = 500;
    expect(await ask("a", 3)).toEqual([200, 200, 429]);
    now = 60_000;
    expect(await ask("a", 5)).toEqual([200, 200, 200, 200, 429]);
  });
});

describe("the limits of an api", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ OSTLER_MAX_REQUESTS_PER_SECOND: "3", OSTLER_MAX_STREAMS: "1", OSTLER_MAX_SOURCE: "10" });
  });
  afterAll(() => api.close());

  it("are told with their settings, and when to try again; liveness has none", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.request("/api/v1/maintenance")));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(await refused?.json()).toMatchObject({ code: "too_many_requests", details: { perSecond: 3 } });
    expect((await api.request("/healthz")).status).toBe(200);
  });

  it("hold for streams and uploads", async () => {
    /** Asks until its turn comes: the message of the refusal, empty where there is none. */
    const messageOf = async (path: string, init?: RequestInit) => {
      const response = await api.request(path, init);
      const message = response.ok ? "" : z.object({ message: z.string() }).parse(await response.json()).message;
      return message.includes("requests a second") ? "later" : message;
    };
    const patience = { timeout: 10_000 };
    await expect.poll(() => messageOf("/api/v1/events"), patience).toBe("");
    await expect.poll(() => messageOf("/api/v1/events"), patience).toBe("1 event streams are open already (setting OSTLER_MAX_STREAMS)");
    const body = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.alloc(20)]);
    const init = { method: "POST", body, headers: { "content-type": "application/zstd" } };
    await expect
      .poll(() => messageOf("/api/v1/sources", init), patience)
      .toBe("the source is larger than 10 bytes (setting OSTLER_MAX_SOURCE)");
  });
});
