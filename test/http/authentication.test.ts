import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertGuarded } from "../../src/http/authentication.ts";
import { startApi } from "../../src/http/server.ts";
import { silent, startTestApi, type TestApi } from "./api.ts";

const token = "a-long-administrators-token";

let open: TestApi;
let guarded: TestApi;
beforeAll(async () => {
  [open, guarded] = await Promise.all([startTestApi(), startTestApi({ OSTLER_ADMIN_TOKEN: token })]);
});
afterAll(async () => {
  await Promise.all([open.close(), guarded.close()]);
});

async function ask(api: TestApi, path: string, headers: Record<string, string> = {}, method = "GET") {
  const response = await api.app.request(path, { method, headers });
  return response.status;
}

const basic = (password: string) => `Basic ${Buffer.from(`anyone:${password}`).toString("base64")}`;

describe("with an administrator's token", () => {
  it("lets nobody in without it, but to liveness and readiness", async () => {
    for (const path of ["/api/v1/runs", "/metrics", "/queues/", "/queues/api/queues", "/api/v1/docs", "/nothing"]) {
      expect(await ask(guarded, path), path).toBe(401);
    }
    expect(await ask(guarded, "/healthz")).toBe(200);
    expect([200, 503]).toContain(await ask(guarded, "/readyz"));
  });

  it("takes it as a bearer token, or as a password for browsers", async () => {
    expect(await ask(guarded, "/api/v1/runs", { authorization: `Bearer ${token}` })).toBe(200);
    expect(await ask(guarded, "/api/v1/runs", { authorization: basic(token) })).toBe(200);
  });

  it.each([
    ["another token", `Bearer ${token}x`],
    ["a part of it", `Bearer ${token.slice(0, -1)}`],
    ["an empty one", "Bearer "],
    ["another password", basic("x")],
    ["another scheme", `Digest ${token}`],
  ])("refuses %s", async (_, authorization) => {
    expect(await ask(guarded, "/api/v1/runs", { authorization })).toBe(401);
  });

  it("says how to authenticate, as JSON", async () => {
    const response = await guarded.app.request("/api/v1/runs");
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await response.json()).toMatchObject({ code: "unauthorized", message: expect.stringContaining("Bearer") });
  });

  it("does not let a foreign page use the password that a browser remembers", async () => {
    const headers = { authorization: basic(token), origin: "https://evil.example", host: "ostler.example" };
    expect(await ask(guarded, "/api/v1/runs", headers)).toBe(403);
    expect(await ask(guarded, "/api/v1/runs", { ...headers, origin: "https://ostler.example" })).toBe(200);
  });
});

describe("without a token", () => {
  it("serves requests to this machine's own names", async () => {
    for (const host of ["localhost:7070", "127.0.0.1:7070", "[::1]:7070", "127.0.0.1"]) {
      expect(await ask(open, "/api/v1/runs", { host }), host).toBe(200);
    }
  });

  it("refuses a foreign name that resolves to this machine", async () => {
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:7070", "10.0.0.1"]) {
      expect(await ask(open, "/api/v1/runs", { host }), host).toBe(403);
    }
  });

  it("refuses requests that a page of another origin makes", async () => {
    const host = "127.0.0.1:7070";
    for (const origin of ["https://evil.example", "http://127.0.0.1:8080", "null"]) {
      expect(await ask(open, "/api/v1/runs", { host, origin }, "POST"), origin).toBe(403);
    }
    expect(await ask(open, "/api/v1/runs", { host, origin: `http://${host}` })).toBe(200);
  });
});

describe("listening", () => {
  it("is refused at start anywhere but on loopback without a token", async () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.4", "example.org"]) {
      expect(() => assertGuarded({ host })).toThrow("OSTLER_ADMIN_TOKEN");
      expect(() => assertGuarded({ host, adminToken: token })).not.toThrow();
    }
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) expect(() => assertGuarded({ host })).not.toThrow();
    await expect(startApi({ config: { ...open.config, host: "0.0.0.0" }, log: silent })).rejects.toThrow("refusing to listen");
  });
});
