import type { JsonObject } from "./json.ts";
import type { Message, WebSocketPeer } from "./web-socket.ts";

/** Subprotocols for exec and attach, in the order of the server's liking. */
const protocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
] as const;
const frameBytes = 32 * 1024;

/** How an exec ended. */
export type ExecEnd =
  | { readonly type: "exited"; readonly code: number; readonly command: readonly string[] }
  /** It could not be run at all. */
  | { readonly type: "failed"; readonly message: string };

/** The protocol that is spoken, "" without any; undefined if the client offers only unknown ones. */
export function chooseProtocol(offered: string | undefined): string | undefined {
  if (offered === undefined) return "";
  const names = offered.split(",").map((name) => name.trim());
  return protocols.find((protocol) => names.includes(protocol));
}

/** What comes from the client: bytes for a channel, or the end of one. */
export type Incoming = { readonly channel: number; readonly bytes: Buffer } | { readonly ends: number };

/** The channels of an exec over one WebSocket. */
export interface Channels {
  readonly write: (channel: number, bytes: Buffer) => void;
  readonly finish: (end: ExecEnd) => void;
  readonly read: (message: Message) => Incoming | undefined;
}

/** Channels in a protocol. The first thing sent is an empty frame on the first of them. */
export function openChannels(peer: WebSocketPeer, protocol: string, first: number): Channels {
  const base64 = protocol.includes("base64");
  const put = (channel: number, bytes: Buffer) => {
    if (base64) peer.send(`${channel}${bytes.toString("base64")}`);
    else peer.send(Buffer.concat([Buffer.from([channel]), bytes]));
  };
  put(first, Buffer.alloc(0));
  return {
    write: (channel, bytes) => {
      for (let at = 0; at < bytes.length; at += frameBytes) put(channel, bytes.subarray(at, at + frameBytes));
    },
    finish: (end) => {
      const told = endText(end, protocol);
      if (told !== "") put(3, Buffer.from(told));
      peer.close(1000);
    },
    read: ({ bytes }) => {
      const channel = base64 ? Number(String.fromCharCode(bytes[0] ?? 0)) : bytes[0];
      if (channel === undefined) return undefined;
      const payload = base64 ? Buffer.from(bytes.subarray(1).toString(), "base64") : bytes.subarray(1);
      if (channel === 255) return protocol.startsWith("v5") ? { ends: payload[0] ?? 0 } : undefined;
      return { channel, bytes: payload };
    },
  };
}

function endText(end: ExecEnd, protocol: string): string {
  const old = protocol === "" || protocol === "channel.k8s.io" || protocol === "base64.channel.k8s.io";
  if (end.type === "exited" && end.code === 0) return old ? "" : JSON.stringify({ metadata: {}, status: "Success" });
  if (end.type === "failed") return old ? end.message : JSON.stringify(failure(end.message));
  const why = protocol.startsWith("v5")
    ? `command terminated with exit code ${end.code}`
    : `error executing command [${end.command.join(" ")}], exit code ${end.code}`;
  const message = `command terminated with non-zero exit code: ${why}`;
  if (old) return message;
  const details = { causes: [{ reason: "ExitCode", message: String(end.code) }] };
  return JSON.stringify({ metadata: {}, status: "Failure", message, reason: "NonZeroExitCode", details });
}

function failure(message: string): JsonObject {
  return {
    metadata: {},
    status: "Failure",
    message: `Internal error occurred: ${message}`,
    reason: "InternalError",
    details: { causes: [{ message }] },
    code: 500,
  };
}
