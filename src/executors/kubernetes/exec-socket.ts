import type { Exec } from "@kubernetes/client-node";
import { ApiError } from "./api-error.ts";
import { createGate } from "./gate.ts";
import { orAborted } from "./or-aborted.ts";

/** What is used of the client's WebSocket (that of the package `ws`, which brings no types along). */
export interface Socket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly CLOSED: number;
  readonly send: (data: Uint8Array, sent: (error?: Error) => void) => void;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly ping: () => void;
  readonly terminate: () => void;
  readonly on: (event: "close" | "error" | "pong", listener: () => void) => void;
}

/** Opens a WebSocket below the API server. `onFrame` hears every frame: its channel, and its bytes. */
export type OpenExec = (path: string, onFrame: (channel: number, bytes: Uint8Array) => void, signal: AbortSignal) => Promise<Socket>;

/** Says how the command ended. */
export const statusChannel = 3;

const handshakeLimitMs = 30_000;
/** Handshakes under way at once: each is a connection that the server authenticates. */
const handshakesAtOnce = 16;

export function createExec(handler: Exec["handler"]): OpenExec {
  const gate = createGate(handshakesAtOnce);
  return (path, onFrame, signal) =>
    gate.pass(async () => {
      const late = AbortSignal.any([signal, AbortSignal.timeout(handshakeLimitMs)]);
      const connecting: Promise<Socket> = handler.connect(path, null, (channel, bytes) => {
        onFrame(channel, bytes);
        // False closes the connection: nothing comes after the status.
        return channel !== statusChannel;
      });
      return await givenUpWith(connecting, late);
    }, signal);
}

/** The client's handshake cannot be cancelled: one that comes too late is closed. */
async function givenUpWith(connecting: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  try {
    return await orAborted(connecting, signal);
  } catch (error) {
    connecting.then(
      (socket) => socket.terminate(),
      () => {},
    );
    throw refusalOf(error);
  }
}

/** The handshake's refusal is an event of the package `ws`, which has the status in its text only. */
function refusalOf(event: unknown): unknown {
  if (event instanceof Error) return event;
  const message = typeof event === "object" && event !== null && "message" in event ? String(event.message) : String(event);
  const status = /Unexpected server response: (\d{3})/.exec(message)?.[1];
  return status === undefined ? new Error(message) : new ApiError(Number(status), message);
}
