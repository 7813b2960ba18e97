import { Hono } from "hono";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { OstlerError } from "../../src/errors.ts";
import type { HttpEnv } from "../../src/http/env.ts";
import { requestId } from "../../src/http/request-id.ts";
import { eventStream, type Frame } from "../../src/http/sse.ts";
import { until } from "../support/until.ts";

interface Given {
  readonly heartbeatMs?: number;
  readonly onEnd?: () => void;
  readonly closing?: AbortSignal;
}

async function open(frames: (signal: AbortSignal) => AsyncIterable<Frame>, given: Given = {}): Promise<Response> {
  const app = new Hono<HttpEnv>();
  app.use(requestId(pino({ level: "silent" })));
  app.get("/", (c) => eventStream(c, frames, { closing: new AbortController().signal, ...given }));
  return app.request("/");
}

describe("an event stream", () => {
  it("asks for one frame at a time, as its client takes them", async () => {
    let made = 0;
    async function* frames() {
      for (;;) yield { data: made++ };
    }
    const reader = (await open(frames)).body?.getReader();
    expect(made).toBe(0);
    for (let i = 0; i < 4; i++) await reader?.read();
    expect(made).toBeLessThanOrEqual(4);
    await reader?.cancel();
  });

  it("writes a comment while nothing happens, and loses nothing over it", async () => {
    const gate = Promise.withResolvers<void>();
    async function* frames() {
      await gate.promise;
      yield { data: "at last" };
    }
    const reader = (await open(frames, { heartbeatMs: 5 })).body?.getReader();
    const texts = [];
    for (let i = 0; i < 3; i++) texts.push(new TextDecoder().decode((await reader?.read())?.value));
    gate.resolve();
    for (let done = false; !done; ) {
      const next = await reader?.read();
      done = next?.done ?? true;
      texts.push(new TextDecoder().decode(next?.value));
    }
    const text = texts.join("");
    expect(text).toMatch(/^retry: 2000\n\n: .*\n\n: /);
    expect(text).toMatch(/data: "at last"\n\n$/);
  });

  it("tells what makes its frames that the client has gone, and ends once", async () => {
    let ended = 0;
    let finished = false;
    async function* frames(signal: AbortSignal): AsyncGenerator<Frame> {
      try {
        yield { data: 1 };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      } finally {
        finished = true;
      }
    }
    const reader = (await open(frames, { onEnd: () => ended++ })).body?.getReader();
    await reader?.read();
    await reader?.read();
    const last = reader?.read();
    await reader?.cancel();
    await last;
    await until("the generator has ended", () => finished);
    expect(ended).toBe(1);
  });

  it("ends when the server closes", async () => {
    const closing = new AbortController();
    async function* frames(signal: AbortSignal): AsyncGenerator<Frame> {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    }
    const response = await open(frames, { closing: closing.signal });
    const text = response.text();
    closing.abort();
    expect(await text).toBe("retry: 2000\n\n");
  });

  it.each([
    [new OstlerError("log_deleted", "the log was deleted"), { message: "the log was deleted", code: "log_deleted" }],
    [new Error("hunter2"), { message: "internal server error", code: "internal" }],
  ])("that fails says so in a last message, and nothing internal", async (error, expected) => {
    async function* frames(): AsyncGenerator<Frame> {
      yield { data: 1 };
      throw error;
    }
    const text = await (await open(frames)).text();
    expect(text).toContain(`event: error\ndata: ${JSON.stringify(expected)}`);
    expect(text).not.toContain("hunter2");
  });
});
