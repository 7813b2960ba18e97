import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { frame, frameReader } from "./web-socket.ts";

/** A WebSocket message, or the code of the closing one. */
export type ClientFrame = { readonly opcode: number; readonly payload: Buffer };

/** A raw WebSocket for tests: shows every frame as it was sent. */
export interface WebSocketClient {
  readonly status: number;
  readonly protocol: string | undefined;
  /** What came instead of an upgrade. */
  readonly body: string;
  readonly frames: readonly ClientFrame[];
  /** Bytes that came after the answer's head. */
  readonly bytes: () => number;
  /** The code of the server's close, 1006 for a connection that just ended. */
  readonly closed: Promise<number>;
  readonly send: (payload: Buffer) => void;
  readonly close: () => void;
  /** Cuts the connection. */
  readonly cut: () => void;
}

/** Opens one. Header lines are sent as given. */
export async function openWebSocket(target: {
  readonly url: string;
  readonly tls: ConnectionOptions;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}): Promise<WebSocketClient> {
  const { hostname, port } = new URL(target.url);
  const socket = connect({ host: hostname, port: Number(port), ...target.tls });
  await once(socket, "secureConnect");
  const key = randomBytes(16).toString("base64");
  const lines = Object.entries({ Host: hostname, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, ...target.headers });
  socket.write([`GET ${target.path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "\r\n"].join("\r\n"));
  return readAnswer(socket);
}

async function readAnswer(socket: TLSSocket): Promise<WebSocketClient> {
  const head = await new Promise<Buffer>((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (!received.includes("\r\n\r\n")) return;
      socket.off("data", onData);
      resolve(received);
    };
    socket.on("data", onData);
    socket.once("close", () => resolve(received));
  });
  const end = head.indexOf("\r\n\r\n") + 4;
  const text = head.subarray(0, end).toString();
  const frames: ClientFrame[] = [];
  let body = "";
  let code = 1006;
  const status = Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1]);
  const read = frameReader((opcode, payload) => {
    if (opcode === 8) {
      code = payload.readUInt16BE(0);
      socket.end(frame(8, payload, randomBytes(4)));
    } else {
      frames.push({ opcode, payload });
    }
  });
  let received = 0;
  const onBytes = (bytes: Buffer) => {
    received += bytes.length;
    if (status === 101) read(bytes);
    else body += bytes.toString();
  };
  const closed = new Promise<number>((resolve) => socket.once("close", () => resolve(code)));
  socket.on("error", () => {});
  onBytes(head.subarray(end));
  socket.on("data", onBytes);
  if (status !== 101) await closed;
  return {
    status,
    protocol: /^sec-websocket-protocol: ?(.*)$/im.exec(text)?.[1]?.trim(),
    body,
    frames,
    bytes: () => received,
    closed,
    send: (payload) => socket.write(frame(2, payload, randomBytes(4))),
    close: () => socket.write(frame(8, Buffer.from([3, 232]), randomBytes(4))),
    cut: () => socket.destroy(),
  };
}
