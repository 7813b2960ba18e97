import type { ServerResponse } from "node:http";
import type { JsonObject } from "./json.ts";
import { StatusError } from "./status-error.ts";
import type { StreamCutter } from "./stream-cutter.ts";

/** What the server answers. */
export type Answer =
  | { readonly type: "json"; readonly code: number; readonly body: JsonObject; readonly warning?: string }
  | { readonly type: "text"; readonly code: number; readonly text: string }
  | { readonly type: "empty"; readonly code: number }
  /** Bytes as they come; `open` begins them, and the signal says when nobody listens any more. */
  | {
      readonly type: "stream";
      readonly contentType: string;
      readonly open: (write: (bytes: Buffer) => void, end: () => void, signal: AbortSignal) => void;
    };

export const json = (code: number, body: JsonObject): Answer => ({ type: "json", code, body });

/** Writes an answer. */
export function send(response: ServerResponse, answer: Answer, cutter: StreamCutter): void {
  response.setHeader("cache-control", "no-cache, private");
  switch (answer.type) {
    case "json": {
      if (answer.warning !== undefined) response.setHeader("warning", answer.warning);
      response.writeHead(answer.code, { "content-type": "application/json" });
      response.end(`${JSON.stringify(answer.body)}\n`);
      return;
    }
    case "text":
      response.writeHead(answer.code, { "content-type": "text/plain; charset=utf-8" });
      response.end(answer.text);
      return;
    case "empty":
      response.writeHead(answer.code);
      response.end();
      return;
    case "stream": {
      response.writeHead(200, { "content-type": answer.contentType });
      response.flushHeaders();
      const closed = new AbortController();
      response.once("close", () => closed.abort());
      const { socket } = response;
      if (socket === null) return;
      const outlet = cutter.guard(response, socket);
      answer.open(outlet.write, outlet.end, closed.signal);
      return;
    }
  }
}

/** A failure as an answer; anything but a StatusError is a bug of the simulator and is shown as 500. */
export function sendError(response: ServerResponse, error: unknown, cutter: StreamCutter): void {
  if (error instanceof StatusError) {
    if (error.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(error.retryAfterSeconds));
    send(response, json(error.code, error.body), cutter);
    return;
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  send(response, json(500, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 }), cutter);
}
