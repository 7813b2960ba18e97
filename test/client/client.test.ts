import { expect, it } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { playServer, streamAnswer } from "../support/played-server.ts";

const signal = new AbortController().signal;
const quick = { signal, backoff: { baseMs: 1, maxMs: 5 } };

it("encodes groups, ids and tasks as one segment each, and repeats what may be repeated", async () => {
  const server = await playServer((request) => (request.method === "POST" ? { status: 204 } : { json: { runs: [], nextCursor: null } }));
  const { runs } = createClient({ url: `${server.url}/ci` });
  await runs.find("/project/web/feature%2Fx", 12);
  await runs.approve("01", "unit tests (arm)", { message: "ok" });
  await runs.list({ group: "/a/b c", recursive: true, lastRun: false, phase: ["queued", "running"], limit: 5 });
  expect(server.requests.map(({ target }) => target)).toEqual([
    "/ci/api/v1/groups/%2Fproject%2Fweb%2Ffeature%252Fx/runs/12",
    "/ci/api/v1/runs/01/tasks/unit%20tests%20(arm)/approve",
    "/ci/api/v1/runs?group=%2Fa%2Fb+c&limit=5&recursive=true&phase=queued&phase=running",
  ]);
  expect(server.requests[1]?.body.toString()).toBe('{"message":"ok"}');
});

it("gives out each event of a run once, also where a server repeats some after a reconnect", async () => {
  const event = (seq: number) => `id: ${seq}\nevent: task\ndata: {"seq":${seq},"type":"task"}\n\n`;
  const server = await playServer((_, count) =>
    count === 1 ? streamAnswer([event(1), event(2)], "cut") : streamAnswer([event(1), event(2), event(3), "event: end\ndata: {}\n\n"]),
  );
  const seen: number[] = [];
  for await (const { seq } of createClient({ url: server.url }).runs.events("r", quick)) seen.push(seq);
  expect(seen).toEqual([1, 2, 3]);
});

it("follows the installation from a position on, and says where the server could not", async () => {
  const event = (position: string) => `id: ${position}\nevent: run\ndata: {"runId":"r"}\n\n`;
  const caller = new AbortController();
  const server = await playServer((_, count) =>
    count === 1
      ? streamAnswer([event("h.1-0")], "cut")
      : streamAnswer(["id: h2.9-0\nevent: reset\ndata: {}\n\n", event("h2.10-0.1")], "open"),
  );
  const seen: string[] = [];
  const { events } = createClient({ url: server.url });
  const stream = events({ ...quick, signal: caller.signal, after: "h.0-0" });
  await expect(async () => {
    for await (const { type, position } of stream) if (seen.push(`${type} ${position}`) === 3) caller.abort(new Error("enough"));
  }).rejects.toThrow("enough");
  expect(seen).toEqual(["event h.1-0", "reset h2.9-0", "event h2.10-0.1"]);
  expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual(["h.0-0", "h.1-0"]);
});

it("shows the server its last change, so that it reads what it wrote from whichever process answers", async () => {
  const server = await playServer((request) =>
    request.method === "POST" ? { status: 204, headers: { "ostler-event": "h.7-0" } } : { json: { runs: [], nextCursor: null } },
  );
  const { runs } = createClient({ url: server.url });
  await runs.list({});
  await runs.cancel("r");
  await runs.list({});
  expect(server.requests.map(({ headers }) => headers["ostler-event"])).toEqual([undefined, undefined, "h.7-0"]);
});

it("follows a log by byte offset across a cut connection, and says what is lost", async () => {
  const chunk = (offset: number, end: number, text: string) => `id: ${end}\nevent: chunk\ndata: ${JSON.stringify({ offset, text })}\n\n`;
  const server = await playServer((_, count) => {
    if (count === 1) return streamAnswer([chunk(0, 3, "añ"), "id: 9\nevent: chunk\ndata: {"], "cut");
    return streamAnswer([
      chunk(0, 3, "añ"),
      'event: gap\ndata: {"from":3,"to":8,"why":"the executor is gone"}\n\n',
      chunk(8, 10, "z\n"),
      'event: end\ndata: {"size":10,"sha256":"x","complete":false}\n\n',
    ]);
  });
  const parts = [];
  for await (const part of createClient({ url: server.url }).logs.follow({ runId: "r", task: "t 1", step: 0 }, {}, quick)) parts.push(part);
  expect(parts).toMatchObject([
    { type: "chunk", offset: 0, end: 3, text: "añ" },
    { type: "gap", from: 3, to: 8, why: "the executor is gone" },
    { type: "chunk", offset: 8, end: 10, text: "z\n" },
    { type: "end", size: 10, complete: false },
  ]);
  expect(server.requests.map(({ target, headers }) => [target, headers["last-event-id"]])).toEqual([
    ["/api/v1/runs/r/tasks/t%201/logs?step=0&follow=true", undefined],
    ["/api/v1/runs/r/tasks/t%201/logs?step=0&follow=true", "3"],
  ]);
});
