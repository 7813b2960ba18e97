import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as it came. */
export interface PlayedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What is answered; or a function, for answers that HTTP does not allow. */
export type PlayedAnswer = PlayedText | ((response: ServerResponse) => void);

export interface PlayedText {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly json?: unknown;
}

/** Answers an event stream with these raw texts, one after another; ends it, cuts it, or leaves it open. */
export function streamAnswer(texts: readonly string[], end: "end" | "cut" | "open" = "end"): PlayedAnswer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    for (const text of texts) response.write(text);
    if (end === "end") response.end();
    if (end === "cut") response.write("", () => response.destroy());
    if (end === "open") response.flushHeaders();
  };
}

/** A real server on a free loopback port that plays answers; it goes when the test has finished. */
export async function playServer(play: (request: PlayedRequest, count: number) => PlayedAnswer | undefined) {
  const requests: PlayedRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = { method: incoming.method ?? "", target: incoming.url ?? "", headers: incoming.headers, body: Buffer.concat(chunks) };
    requests.push(request);
    answer(response, play(request, requests.length) ?? notPlayed(request));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${portOf(server.address())}`, requests, close };
}

function portOf(address: string | AddressInfo | null): number {
  if (typeof address === "string" || address === null) throw new Error("not listening");
  return address.port;
}

function notPlayed({ method, target }: PlayedRequest): PlayedText {
  return { status: 500, json: { message: `nothing is played for ${method} ${target}`, code: "internal", details: {} } };
}

function answer(response: ServerResponse, played: PlayedAnswer): void {
  if (typeof played === "function") {
    played(response);
    return;
  }
  const { status = 200, headers = {}, json, body } = played;
  if (json !== undefined) response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(json));
  else response.writeHead(status, headers).end(body);
}
