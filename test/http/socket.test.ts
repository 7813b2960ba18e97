import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";
import { messagesOf } from "./sse.ts";

let api: TestApi;
let server: { readonly url: string; readonly close: () => Promise<void> };
beforeAll(async () => {
  api = await startTestApi({ OSTLER_MAX_BODY: "64Ki" });
  server = await api.listen();
});
afterAll(() => api.close());

/** Sends bytes as they are, and resolves with everything that comes back until the server closes. */
async function exchange(text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.write(text);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("utf8");
}

const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));

const megabyte = "x".repeat(1_000_000);

/** Sends a body of so many megabytes, and only then looks at what came back, as many clients do. */
async function sendThenRead(megabytes: number): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  const head = ["POST /api/v1/runs HTTP/1.1", "host: localhost", "content-type: application/json", "connection: close"];
  socket.write(`${head.join("\r\n")}\r\ncontent-length: ${megabytes * megabyte.length}\r\n\r\n`);
  for (let sent = 0; sent < megabytes; sent++) if (!socket.write(megabyte)) await once(socket, "drain");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.resume();
  await once(socket, "close");
  return Buffer.concat(chunks).toString("utf8");
}

describe("a body that is too large", () => {
  it("is read on, so that its sender gets to read the 413", async () => {
    for (const megabytes of [1, 100]) {
      const answer = await sendThenRead(megabytes);
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
      expect(bodyOf(answer)).toMatchObject({ code: "body_too_large" });
    }
  });
});

describe("what is not a request", () => {
  it.each([
    ["no HTTP", "hello\r\n\r\n", 400],
    ["headers beyond all bounds", `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(100_000)}\r\n\r\n`, 431],
    ["no host", "GET / HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
    ["a host that is none", "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n", 400],
    ["a method that we never take", "TRACE /api/v1/runs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 405],
    ["an expectation that nobody knows", "GET /api/v1/nothing HTTP/1.1\r\nhost: localhost\r\nexpect: x\r\nconnection: close\r\n\r\n", 404],
    ["a path that is none", "GET \\\\x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 400],
  ])("%s is answered as JSON", async (_, text, status) => {
    const answer = await exchange(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(bodyOf(answer)).toMatchObject({ message: expect.any(String), code: expect.any(String) });
  });
});

describe("an event stream over a socket", () => {
  it("tells how long to wait before coming back, and is not to be cached", async () => {
    const run = await runOf(await api.post("/api/v1/runs", definition({ setupErrors: ["no"], tasks: {} })));
    const response = await fetch(`${server.url}/api/v1/runs/${run.id}/events`);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(text).toMatch(/^retry: 2000\n\nevent: run\nid: 1\ndata: \{/);
    expect(text).toMatch(/event: end\ndata: \{\}\n\n$/);
  });

  it("gives its place back when its client goes away", async () => {
    const open = () => openStreams(server.url);
    const clients = Array.from({ length: 5 }, () => new AbortController());
    for (const { signal } of clients) await fetch(`${server.url}/api/v1/events`, { signal });
    await until("five streams are open", async () => (await open()) === 5);
    for (const client of clients) client.abort();
    await until("none is open", async () => (await open()) === 0);
  });

  it("answers HEAD without opening a stream", async () => {
    const response = await fetch(`${server.url}/api/v1/events`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await openStreams(server.url)).toBe(0);
  });

  it("ends when the server closes, and the server does not wait for its clients", async () => {
    const second = await api.listen();
    const response = await fetch(`${second.url}/api/v1/events`);
    const messages = messagesOf(response, () => false);
    const startedAt = performance.now();
    await second.close();
    expect(await messages).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

async function openStreams(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^ostler_http_streams (\d+)$/m.exec(text)?.[1]);
}
