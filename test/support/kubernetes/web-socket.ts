import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Outlet } from "./stream-cutter.ts";

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A message from the client. */
export type Message = { readonly type: "binary" | "text"; readonly bytes: Buffer };

/** A WebSocket as the server sees it (RFC 6455), without extensions. */
export interface WebSocketPeer {
  readonly send: (payload: Buffer | string) => void;
  /** Resolves when the client is ready for more. */
  readonly drained: () => Promise<void>;
  readonly close: (code: number) => void;
  readonly onMessage: (listener: (message: Message) => void) => void;
  /** Called once, however it ends. */
  readonly onClose: (listener: () => void) => void;
}

/** Answers the handshake. An empty protocol is answered with an empty header, as real servers do. */
export function acceptWebSocket(
  socket: Duplex,
  outlet: Outlet,
  { key, protocol, head }: { readonly key: string; readonly protocol: string; readonly head: Buffer },
): WebSocketPeer {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${accept}`,
      `Sec-WebSocket-Protocol: ${protocol}`,
      "\r\n",
    ].join("\r\n"),
  );
  return peer(socket, outlet, head);
}

function peer(socket: Duplex, outlet: Outlet, head: Buffer): WebSocketPeer {
  const messageListeners: ((message: Message) => void)[] = [];
  const closeListeners: (() => void)[] = [];
  let closed = false;
  const ended = () => {
    if (closed) return;
    closed = true;
    for (const listener of closeListeners) listener();
  };
  socket.on("close", ended);
  socket.on("error", ended);
  // Half a connection is none: a client that has gone shows as an end first.
  socket.on("end", () => {
    socket.end();
    ended();
  });
  const read = frameReader((opcode, payload) => {
    if (opcode === opcodes.ping) outlet.write(frame(opcodes.pong, payload));
    else if (opcode === opcodes.close) {
      if (!closed) outlet.write(frame(opcodes.close, payload.subarray(0, 2)));
      socket.end();
      ended();
    } else if (opcode === opcodes.text || opcode === opcodes.binary) {
      for (const listener of messageListeners) listener({ type: opcode === opcodes.text ? "text" : "binary", bytes: payload });
    }
  });
  socket.on("data", read);
  setImmediate(() => read(head));
  return {
    send: (payload) => {
      if (closed) return;
      if (typeof payload === "string") outlet.write(frame(opcodes.text, Buffer.from(payload)));
      else outlet.write(frame(opcodes.binary, payload));
    },
    drained: () => outlet.drained(),
    close: (code) => {
      if (closed) return;
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      outlet.write(frame(opcodes.close, payload));
      outlet.end();
      ended();
    },
    onMessage: (listener) => messageListeners.push(listener),
    onClose: (listener) => (closed ? listener() : closeListeners.push(listener)),
  };
}

/** A whole message in one frame. Clients have to mask theirs. */
export function frame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = 0x80 | opcode;
  header[1] = (mask === undefined ? 0 : 0x80) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  return mask === undefined ? Buffer.concat([header, payload]) : Buffer.concat([header, mask, masked(payload, mask)]);
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.from(payload);
  for (let index = 0; index < result.length; index += 1) result[index] = (result[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return result;
}

/** Puts frames together from bytes as they come; fragments are joined. */
export function frameReader(onMessage: (opcode: number, payload: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let fragments: Buffer[] = [];
  let fragmentsOpcode = 0;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const found = firstFrame(rest);
      if (found === undefined) return;
      rest = rest.subarray(found.size);
      if (found.opcode >= opcodes.close) {
        onMessage(found.opcode, found.payload);
        continue;
      }
      if (found.opcode !== opcodes.continuation) fragmentsOpcode = found.opcode;
      fragments.push(found.payload);
      if (!found.final) continue;
      onMessage(fragmentsOpcode, Buffer.concat(fragments));
      fragments = [];
    }
  };
}

interface Frame {
  readonly final: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  readonly size: number;
}

function firstFrame(bytes: Buffer): Frame | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskBytes = (second & 0x80) === 0 ? 0 : 4;
  const start = 2 + lengthBytes + maskBytes;
  if (bytes.length < 2 + lengthBytes) return undefined;
  const length = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const content = bytes.subarray(start, start + length);
  const payload = maskBytes === 0 ? content : masked(content, bytes.subarray(start - 4, start));
  return { final: (first & 0x80) !== 0, opcode: first & 0x0f, payload, size: start + length };
}
