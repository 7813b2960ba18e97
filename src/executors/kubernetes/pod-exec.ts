import { PodError } from "../driver.ts";
import type { ExecChunk, ExecRequest, ExecStream, PodExec } from "../pod-helper/pod-exec.ts";
import { isStatus } from "./api-error.ts";
import { createByteQueue } from "./byte-queue.ts";
import { type OpenExec, type Socket, statusChannel } from "./exec-socket.ts";
import { faultOfStatus } from "./exec-status.ts";

const channels = { stdin: 0, stdout: 1, stderr: 2 } as const;
const inputChunkBytes = 32 * 1024;
/** Keeps idle connections open through proxies, and finds dead ones within two of these. */
const pingMs = 20_000;

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Commands in a container, by the WebSocket protocol v5.channel.k8s.io. */
export function createPodExec(openExec: OpenExec, target: ExecTarget): PodExec {
  return { open: (request, signal) => open(openExec, { target, request }, signal) };
}

interface Opening {
  readonly target: ExecTarget;
  readonly request: ExecRequest;
}

async function open(openExec: OpenExec, opening: Opening, signal: AbortSignal): Promise<ExecStream> {
  let socket: Socket | undefined;
  const output = createByteQueue<ExecChunk>({ full: () => socket?.pause(), drained: () => socket?.resume() });
  const onFrame = (channel: number, bytes: Uint8Array) => {
    if (channel === statusChannel) {
      const fault = faultOfStatus(Buffer.from(bytes).toString());
      if (fault === undefined) output.end();
      else output.fail(new Error(fault));
    } else if (bytes.length > 0 && (channel === channels.stdout || channel === channels.stderr)) {
      output.push({ channel: channel === channels.stdout ? "stdout" : "stderr", bytes });
    }
  };
  const opened = await connect(openExec, opening, { onFrame, signal });
  socket = opened;
  if (output.isFull()) opened.pause();
  const close = (why: unknown) => {
    output.fail(why);
    opened.terminate();
  };
  const onAbort = () => close(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  watchSocket(opened, () => {
    signal.removeEventListener("abort", onAbort);
    output.fail(new Error("the connection to the container was cut"));
  });
  if (signal.aborted) onAbort();
  sendInput(opened, opening.request.input).catch(() => opened.terminate());
  return { chunks: output.chunks, close: () => close(new Error("closed by the executor")) };
}

async function connect(
  openExec: OpenExec,
  { target, request }: Opening,
  { onFrame, signal }: { readonly onFrame: (channel: number, bytes: Uint8Array) => void; readonly signal: AbortSignal },
): Promise<Socket> {
  const { namespace, pod, container } = target;
  const query = new URLSearchParams({ container, stdin: "true", stdout: "true", stderr: "true" });
  for (const part of request.command) query.append("command", part);
  try {
    return await openExec(`/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query}`, onFrame, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isStatus(error, 401, 403)) throw error;
    throw new PodError("setup", `the executor may not run commands in pods of namespace ${namespace} (pods/exec): ${error.message}`, {
      cause: error,
    });
  }
}

/** Calls `onClosed` when the socket is closed. A peer that has answered pings once, and does so no more, is gone. */
function watchSocket(socket: Socket, onClosed: () => void): void {
  let answers = false;
  let waiting = false;
  const timer = setInterval(() => {
    if (answers && waiting) socket.terminate();
    waiting = true;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, pingMs);
  timer.unref();
  const done = () => {
    clearInterval(timer);
    onClosed();
  };
  socket.on("pong", () => {
    answers = true;
    waiting = false;
  });
  // A close always follows; without a listener it would be thrown.
  socket.on("error", () => {});
  socket.on("close", done);
  if (socket.readyState === socket.CLOSED) done();
}

/** Never tells the end of the input: only the newest protocol could. */
async function sendInput(socket: Socket, input: Uint8Array): Promise<void> {
  for (let at = 0; at < input.length; at += inputChunkBytes) {
    const frame = Buffer.concat([Uint8Array.of(channels.stdin), input.subarray(at, at + inputChunkBytes)]);
    await new Promise<void>((resolve, reject) => {
      socket.send(frame, (error) => (error ? reject(error) : resolve()));
    });
  }
}
