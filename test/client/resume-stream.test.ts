import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/client/api-error.ts";
import { resumeStream, type StreamOptions } from "../../src/client/resume-stream.ts";
import { streamHeaders } from "../../src/client/run-events.ts";
import { createTransport } from "../../src/client/transport.ts";
import { type PlayedAnswer, playServer, streamAnswer } from "../support/played-server.ts";

const frame = (id: number, event = "run") => `id: ${id}\nevent: ${event}\ndata: {"seq":${id}}\n\n`;

async function readAll(answers: (count: number) => PlayedAnswer, options: Partial<StreamOptions> = {}) {
  const server = await playServer((_, count) => answers(count));
  const transport = createTransport({ url: server.url, tries: 1 });
  const lost: string[] = [];
  const stream = resumeStream((lastId, signal) => transport.fetch(server.url, { headers: streamHeaders(lastId), signal }), {
    signal: new AbortController().signal,
    backoff: { baseMs: 1, maxMs: 5 },
    onLost: (error) => lost.push(error.message),
    ...options,
  });
  const ids: string[] = [];
  let error: unknown;
  try {
    for await (const message of stream) ids.push(message.id);
  } catch (reason) {
    error = reason;
  }
  return { ids, lost, error, url: server.url, asked: server.requests.map((request) => request.headers["last-event-id"]) };
}

describe("a stream", () => {
  it("goes on after the last whole message when a connection is cut inside one", async () => {
    const read = await readAll((count) =>
      count === 1 ? streamAnswer([frame(1), frame(2), "id: 3\nevent: run\ndata: {"], "cut") : streamAnswer([frame(3), frame(4, "end")]),
    );
    expect(read).toMatchObject({ ids: ["1", "2", "3", "4"], asked: [undefined, "2"], error: undefined });
  });

  it("goes on from the position that it was told before its first message", async () => {
    const read = await readAll((count) => (count === 1 ? streamAnswer(["id: 7\n\n"], "cut") : streamAnswer([frame(8, "end")])));
    expect(read).toMatchObject({ ids: ["8"], asked: [undefined, "7"], error: undefined });
  });

  it("is asked for again when a proxy ends it without saying so", async () => {
    const read = await readAll((count) => (count === 1 ? streamAnswer([frame(1)]) : streamAnswer([frame(2, "end")])));
    expect(read).toMatchObject({ ids: ["1", "2"], lost: ["the connection was closed before the stream's end"] });
  });

  it("outlives a server that is being restarted behind a proxy", async () => {
    const read = await readAll((count) => {
      if (count === 1) return streamAnswer([frame(1)], "cut");
      return count < 4 ? { status: 502, body: "<h1>nginx</h1>" } : streamAnswer([frame(2, "end")]);
    });
    expect(read.ids).toEqual(["1", "2"]);
    expect(read.lost.slice(1)).toEqual([`502 Bad Gateway from ${read.url}`, `502 Bad Gateway from ${read.url}`]);
  });

  it("takes a silent connection for a dead one", async () => {
    const read = await readAll((count) => (count === 1 ? streamAnswer([frame(1)], "open") : streamAnswer([frame(2, "end")])), {
      idleMs: 50,
    });
    expect(read).toMatchObject({ ids: ["1", "2"], lost: ["nothing came for 0.05 s"] });
  });

  it("goes on where the server says that its own source is away for a moment", async () => {
    const away = 'event: error\ndata: {"message":"Redis is away","code":"redis_unavailable"}\n\n';
    const read = await readAll((count) => (count === 1 ? streamAnswer([frame(1), away]) : streamAnswer([frame(2, "end")])));
    expect(read).toMatchObject({ ids: ["1", "2"], lost: ["Redis is away"] });
  });
});

describe("a stream ends", () => {
  it("with what the server says for good", async () => {
    const read = await readAll(() => ({ status: 410, json: { message: "no longer kept", code: "events_trimmed", details: {} } }));
    expect(read.error).toMatchObject({ message: "no longer kept", code: "events_trimmed", status: 410 });
    expect(read.asked).toHaveLength(1);
  });

  it("with the last fault once nobody has answered for as long as its reader is patient", async () => {
    const read = await readAll((count) => (count === 1 ? streamAnswer([frame(1)], "cut") : { status: 503 }), { patienceMs: 30 });
    expect(read.ids).toEqual(["1"]);
    expect(read.error).toBeInstanceOf(ApiError);
    expect(read.error).toMatchObject({ message: `503 Service Unavailable from ${read.url}` });
  });

  it("never by patience while the server does answer, however often it is cut", async () => {
    const read = await readAll((count) => (count < 12 ? streamAnswer([": still here\n\n"], "cut") : streamAnswer([frame(1, "end")])), {
      patienceMs: 8,
      backoff: { baseMs: 5, maxMs: 10 },
    });
    expect(read).toMatchObject({ ids: ["1"], error: undefined });
  });

  it("with the caller's reason, also while it waits to come back", async () => {
    const caller = new AbortController();
    const read = await readAll(() => ({ status: 503 }), {
      signal: caller.signal,
      backoff: { baseMs: 60_000, maxMs: 60_000 },
      onLost: () => setImmediate(() => caller.abort(new Error("detached"))),
    });
    expect(read.error).toMatchObject({ message: "detached" });
  });
});
