import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/client/api-error.ts";
import { createTransport, type Transport } from "../../src/client/transport.ts";
import { playServer } from "../support/played-server.ts";

/** Asks for JSON at a path of the server, and gives back what came. */
async function ask({ url, fetch }: Transport, init: RequestInit = {}, path = "/api/v1/runs"): Promise<unknown> {
  return (await fetch(url + path, init)).json();
}

const post = { method: "POST", body: '{"name":"x"}' } as const;
const quick = { baseMs: 1, maxMs: 20 };

async function refusalOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => new Error("was answered"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw error;
  return error;
}

describe("errors", () => {
  it("keep the message, the code, the status and the details of the server", async () => {
    const body = { message: 'there is no run "abc"', code: "run_not_found", details: { runId: "abc" } };
    const server = await playServer(() => ({ status: 404, json: body }));
    const error = await refusalOf(ask(createTransport({ url: server.url })));
    expect(error).toMatchObject({ message: 'there is no run "abc"', code: "run_not_found", status: 404, details: { runId: "abc" } });
  });

  it.each([
    ["a page", { status: 502, headers: { "content-type": "text/html" }, body: "<h1>nginx</h1>" }],
    ["nothing", { status: 502 }],
    ["JSON of somebody else", { status: 502, json: { error: { message: "upstream" } } }],
  ])("say who sent %s that is not ours", async (_, answer) => {
    const server = await playServer(() => answer);
    const error = await refusalOf(ask(createTransport({ url: server.url, tries: 1 })));
    expect(error).toMatchObject({ message: `502 Bad Gateway from ${server.url}`, code: "bad_gateway", status: 502 });
  });

  it("name the type of a page that came with a 200", async () => {
    const server = await playServer(() => ({ headers: { "content-type": "text/html" }, body: "<p>log in</p>" }));
    const error = await refusalOf(ask(createTransport({ url: server.url })));
    expect(error.message).toBe(`200 OK from ${server.url}, but with text/html where ostler sends JSON: is that the right URL?`);
  });

  it("do not follow a redirect, which would turn a POST into a GET", async () => {
    const server = await playServer(() => ({ status: 301, headers: { location: "https://ci.example.com/api/v1/runs" } }));
    const error = await refusalOf(ask(createTransport({ url: server.url }), post));
    expect(error.message).toContain("sends us on to https://ci.example.com/api/v1/runs");
    expect(server.requests).toHaveLength(1);
  });

  it("name the URL where nobody listens, and ask only once", async () => {
    const server = await playServer(() => undefined);
    await server.close();
    const error = await refusalOf(ask(createTransport({ url: `${server.url}/` })));
    expect(error).toMatchObject({ message: `cannot reach ${server.url}: connection refused`, code: "unreachable", status: undefined });
  });

  it("never show the credentials of the URL", async () => {
    const server = await playServer(() => ({ status: 502 }));
    const url = server.url.replace("//", "//me:s%C3%A9same@");
    const error = await refusalOf(ask(createTransport({ url, tries: 1 })));
    expect(error.message).toBe(`502 Bad Gateway from ${server.url}`);
    expect(Buffer.from(server.requests[0]?.headers.authorization?.slice(6) ?? "", "base64").toString()).toBe("me:sésame");
  });
});

describe("limits", () => {
  it("give up on an answer that does not come", async () => {
    const server = await playServer(() => () => {});
    const transport = createTransport({ url: server.url, answerTimeoutMs: 50 });
    const error = await refusalOf(ask(transport));
    expect(error).toMatchObject({ code: "no_answer", message: `no answer from ${server.url} within 0.05 s` });
  });

  it("give up on a body that stops half-way", async () => {
    const server = await playServer(() => (response) => {
      response.writeHead(200, { "content-type": "application/json" }).write('{"runs": [');
    });
    const error = await refusalOf(ask(createTransport({ url: server.url, answerTimeoutMs: 50 })));
    expect(error.code).toBe("no_answer");
  });

  it("end with the caller's reason when the caller has had enough", async () => {
    const caller = new AbortController();
    const server = await playServer(() => () => caller.abort(new Error("detached")));
    const request = ask(createTransport({ url: server.url }), { signal: caller.signal });
    await expect(request).rejects.toThrow("detached");
  });
});

describe("trying again", () => {
  it("repeats a POST under the same idempotency key when its connection breaks", async () => {
    const server = await playServer((_, count) => (count === 1 ? (response) => response.destroy() : { status: 201, json: { id: "r" } }));
    const answer = await ask(createTransport({ url: server.url, backoff: quick }), post);
    expect(answer).toEqual({ id: "r" });
    const keys = server.requests.map((request) => request.headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(server.requests.map((request) => request.body.toString())).toEqual(['{"name":"x"}', '{"name":"x"}']);
  });

  it("waits out a server that is overloaded, but not longer than its limit", async () => {
    const busy = { message: "too much to do", code: "overloaded", details: {} };
    const server = await playServer((_, count) =>
      count < 3
        ? { status: 503, json: busy, headers: { "retry-after": "0" } }
        : { status: 503, json: busy, headers: { "retry-after": "5" } },
    );
    const error = await refusalOf(ask(createTransport({ url: server.url, backoff: quick })));
    expect(error).toMatchObject({ message: "too much to do", retryAfterMs: 5000 });
    expect(server.requests).toHaveLength(3);
  });

  it("does not wait for the end of maintenance, which is a person's decision", async () => {
    const server = await playServer(() => ({ status: 503, json: { message: "being moved", code: "maintenance", details: {} } }));
    const error = await refusalOf(ask(createTransport({ url: server.url, backoff: quick }), post));
    expect(error.message).toBe("being moved");
    expect(server.requests).toHaveLength(1);
  });
});

it("shows its token, and keeps the path at which a proxy serves the API", async () => {
  const server = await playServer(() => ({ json: {} }));
  await ask(createTransport({ url: `${server.url}/behind/a/proxy/`, token: "t0ken" }));
  expect(server.requests[0]).toMatchObject({ target: "/behind/a/proxy/api/v1/runs", headers: { authorization: "Bearer t0ken" } });
});
