import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definition, idsIn, startTestApi, type TestApi } from "./api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ OSTLER_MAX_BODY: "64Ki" });
});
afterAll(() => api.close());

const types = { json: "application/json", yaml: "application/yaml" } as const;

async function send(body: string | Uint8Array<ArrayBuffer>, type: string | undefined = types.json) {
  const headers = type === undefined ? {} : { "content-type": type };
  const response = await api.request("/api/v1/runs", { method: "POST", body, headers });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

const refused = (status: number, message: RegExp) => ({
  status,
  answer: { message: expect.stringMatching(message), code: expect.any(String) },
});

describe("a body", () => {
  it.each([
    ["that is not JSON", "{", types.json, 400, /not valid JSON/],
    ["that is not YAML", "a: [", types.yaml, 400, /not valid YAML/],
    ["that is not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), types.json, 400, /UTF-8/],
    ["that is no map", "[]", types.json, 400, /map/],
    ["that is null", "null", types.json, 400, /map|required/],
    ["with a key __proto__", '{"name":"a","group":"/a/b","tasks":{"__proto__":{}}}', types.json, 400, /__proto__/],
    ["with a YAML key __proto__", "tasks: { __proto__: {} }", types.yaml, 400, /__proto__/],
    ["with a key twice", "name: a\nname: b\n", types.yaml, 400, /twice/],
    ["with a tag", "name: !!js/function x\n", types.yaml, 400, /tag/i],
    ["nested without end", `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`, types.json, 400, /deep/],
    ["nested without end, as YAML", `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`, types.yaml, 400, /deep/],
    ["that is its own part", "name: &a [*a]\n", types.yaml, 400, /deep|alias/i],
    ["of another type", "name: a", "text/plain", 415, /application\/json/],
    ["of a form", "a=b", "application/x-www-form-urlencoded", 415, /application\/json/],
    ["in another charset", JSON.stringify(definition()), "application/json; charset=latin1", 415, /UTF-8/],
    ["that is too large", JSON.stringify(definition({ name: "x".repeat(70_000) })), types.json, 413, /65536 bytes/],
  ])("%s is refused", async (_, body, type, status, message) => {
    expect(await send(body, type)).toMatchObject(refused(status, message));
  });

  it("with aliases that multiply is refused", async () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    expect(await send(lines.join("\n"), types.yaml)).toMatchObject(refused(400, /alias/i));
  });

  it.each([10_000, 30_000])("that aliases of a text of %i characters make larger than allowed is refused", async (length) => {
    const aliases = Array.from({ length: 20 }, (_, index) => `  k${index}: *a\n`).join("");
    const body = `name: a\ngroup: /a/b\nannotations:\n  a: &a ${"x".repeat(length)}\n${aliases}tasks: {}\n`;
    expect(await send(body, types.yaml)).toMatchObject(refused(413, /65536 bytes/));
  });

  it("of much YAML is refused for the same reasons as a short one", async () => {
    expect(await send(`${"#\n".repeat(10_000)}name: a\nname: b\n`, types.yaml)).toMatchObject(refused(400, /twice at line 10002/));
  });

  it("without a content type is refused", async () => {
    const response = await api.request("/api/v1/runs", { method: "POST", body: new Blob(["{}"]) });
    expect(response.status).toBe(415);
  });

  it("of any route with a name that reaches a prototype is refused, before a schema drops it in silence", async () => {
    const response = await api.request(`/api/v1/runs/${"0".repeat(26)}/restart`, {
      method: "POST",
      headers: { "content-type": types.json },
      body: '{"environment":{"__proto__":"x"}}',
    });
    expect([response.status, await response.json()]).toMatchObject([400, { message: expect.stringContaining("__proto__") }]);
  });

  it("that is missing says what is required", async () => {
    const response = await api.request("/api/v1/runs", { method: "POST" });
    expect([response.status, await response.json()]).toMatchObject([400, { message: expect.stringContaining("required") }]);
  });

  it("that was refused has created nothing", async () => {
    expect(await idsIn(await api.request("/api/v1/runs"))).toEqual([]);
  });
});

describe("a query", () => {
  it.each([
    "limit=0",
    "limit=501",
    "limit=x",
    "limit=1&limit=2",
    "phase=done",
    "result=maybe",
    "order=up",
    "since=yesterday",
    "annotation=novalue",
    "recursive=true",
    "recursive=1&group=/a/b",
    "cursor=zzz",
    "number=-1",
    "unknown=1",
    "__proto__=1",
    "toString=1",
  ])("?%s is refused by name", async (query) => {
    const response = await api.request(`/api/v1/runs?${query}`);
    const body: unknown = await response.json();
    expect(response.status).toBe(400);
    expect(body).toMatchObject({ code: "bad_request", message: expect.stringContaining("query parameter") });
  });
});

describe("what a query is told", () => {
  it.each([
    ["limit=501", "query parameter limit: expected 1 to 500"],
    ["annotation=novalue", "query parameter annotation: expected key:value"],
    ["annotation=a:b&annotation=novalue", "query parameter annotation.1: expected key:value"],
    ["phase=done", 'query parameter phase: Invalid option: expected one of "setuperror"|"queued"|"cancelled"|"running"|"finished"'],
  ])("of ?%s is what would be right", async (query, message) => {
    expect(await (await api.request(`/api/v1/runs?${query}`)).json()).toMatchObject({ message });
  });
});

describe("headers", () => {
  it("an Ostler-Event that is none is refused", async () => {
    expect((await api.request("/api/v1/runs", { headers: { "ostler-event": "now" } })).status).toBe(400);
  });

  it("a request id is kept if it is fit to print, and made if it is not", async () => {
    const given = async (id: string) => (await api.request("/healthz", { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(await given("abc-1")).toBe("abc-1");
    expect(await given('"><script>')).toMatch(/^[a-z0-9]{16}$/);
  });
});
