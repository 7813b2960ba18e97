import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Logger } from "pino";
import { OstlerError } from "../errors.ts";
import { randomId } from "../ids.ts";
import { StartError } from "../serve/start-error.ts";
import { errorAnswer } from "./errors.ts";

export interface ListenOptions {
  readonly fetch: (request: Request, env: object) => Response | Promise<Response>;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly log: Logger;
}

export interface Listener {
  readonly url: string;
  /** Takes no new connections, and gives those that are busy a moment to finish. */
  readonly close: () => Promise<void>;
}

/** A whole upload may take this long. */
const requestMs = 30 * 60_000;
const closeMs = 5_000;
const idleCheckMs = 20;

const badRequest = (message: string) => errorAnswer(new OstlerError("bad_request", message), randomId(16));

/** What is not HTTP at all never becomes a request; it is answered all the same, as JSON. */
function answerUnparsable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLong = error.code === "HPE_HEADER_OVERFLOW";
  const line = tooLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const { body } = badRequest(tooLong ? "the headers are too long" : "this is not an HTTP request");
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

/** Serves `fetch` on a port; rejects with a plain sentence if that is taken. */
export async function listen({ fetch, host, port, log }: ListenOptions): Promise<Listener> {
  const handle = getRequestListener(fetch, {
    hostname: host,
    // The library would replace the process's own Request and Response.
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      // What comes here never reached the app: a request without a valid host or path.
      log.debug({ err: error }, "refused a malformed request");
      const { status, body } = badRequest("malformed request: its host or path cannot be read");
      return Response.json(body, { status });
    },
  });
  // Node's own refusal of a request without a host is not JSON.
  const server: Server = createServer({ requestTimeout: requestMs, requireHostHeader: false }, (request, response) => {
    if (request.headers.host === undefined && request.httpVersion === "1.1") {
      const { status, body } = badRequest("malformed request: it has no Host header");
      const text = JSON.stringify(body);
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text), connection: "close" };
      response.writeHead(status, headers).end(text);
      return;
    }
    handle(request, response).catch((err: unknown) => {
      log.error({ err }, "could not answer a request");
      response.destroy();
    });
  });
  server.on("clientError", answerUnparsable);
  // What else a client expects than to be told to go on, we need not know (RFC 9110, 10.1.1); Node's own 417 is not JSON.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw taken ? new StartError(`port ${port} of ${host} is taken: stop what listens there, or set OSTLER_PORT`) : error;
  }
  return { url: urlOf(server, host), close: () => close(server) };
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  // A TCP server that listens has an address of that kind.
  const { port } = address as AddressInfo;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose last answer ends from now on stays open for another request otherwise.
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
  const timer = setTimeout(() => server.closeAllConnections(), closeMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
