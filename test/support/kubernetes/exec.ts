import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { type Channels, type ExecEnd, openChannels } from "./exec-channels.ts";
import { enterContainer } from "./kubelet/container-process.ts";
import { findCommand } from "./kubelet/container-root.ts";
import type { ContainerTask } from "./kubelet/container-task.ts";
import type { Chosen } from "./pod-access.ts";
import { isTrue } from "./watch.ts";
import type { WebSocketPeer } from "./web-socket.ts";

/** What an exec asks for. */
export interface ExecRequest {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export function parseExec(query: URLSearchParams): ExecRequest {
  const asked = (name: string) => isTrue(query.get(name));
  const tty = asked("tty");
  return {
    command: query.getAll("command"),
    stdin: asked("stdin"),
    stdout: asked("stdout"),
    stderr: asked("stderr") && !tty,
    tty,
  };
}

/** Why an exec cannot begin at all, or undefined. */
export function execObstacle(request: ExecRequest, chosen: Chosen, task: ContainerTask | "away" | undefined): string | undefined {
  const { namespace, name } = chosen.pod.metadata;
  if (task === "away") {
    const query = new URLSearchParams();
    for (const word of request.command) query.append("command", word);
    query.append("output", "1");
    const url = `https://127.0.0.1:10250/exec/${namespace}/${name}/${chosen.container}?${query}`;
    return `error sending request: Post "${url}": dial tcp 127.0.0.1:10250: connect: connection refused`;
  }
  if (!request.stdin && !request.stdout && !request.stderr)
    return "unable to upgrade connection: you must specify at least 1 of stdin, stdout, stderr";
  if (task?.process === undefined) return `unable to upgrade connection: container not found ("${chosen.container}")`;
  return undefined;
}

/** Runs a command in a container. It goes on when the connection ends; its stdin ends then, and its output goes nowhere. */
export async function serveExec(
  peer: WebSocketPeer,
  protocol: string,
  { request, task }: { readonly request: ExecRequest; readonly task: ContainerTask },
): Promise<void> {
  const channels = openChannels(peer, protocol, firstChannel(request));
  const problem = commandProblem(request, task);
  if (problem !== undefined) return channels.finish({ type: "failed", message: startFailure(problem) });
  channels.finish(await run(peer, channels, { request, task }));
}

/** Tells a client of the newest protocol why nothing was run. */
export function refuseExec(
  peer: WebSocketPeer,
  protocol: string,
  { request, why }: { readonly request: ExecRequest; readonly why: string },
): void {
  openChannels(peer, protocol, firstChannel(request)).finish({ type: "failed", message: why });
}

function firstChannel({ stdout, stderr }: ExecRequest): number {
  return stdout ? 1 : stderr ? 2 : 3;
}

function commandProblem({ command }: ExecRequest, task: ContainerTask): string | undefined {
  if (command.length === 0) return "args must not be empty";
  const root = `/proc/${task.process?.pid ?? 0}/root`;
  const found = findCommand(command[0] ?? "", { path: task.environment["PATH"] ?? "", root, mounts: [] });
  return found.type === "found" ? undefined : `unable to start container process: ${found.why}`;
}

function startFailure(problem: string): string {
  const id = randomBytes(32).toString("hex");
  return `Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "${id}": OCI runtime exec failed: exec failed: ${problem}: unknown`;
}

async function run(
  peer: WebSocketPeer,
  channels: Channels,
  { request, task }: { readonly request: ExecRequest; readonly task: ContainerTask },
): Promise<ExecEnd> {
  const { environment, user } = task;
  const { child, ended } = enterContainer(task.process?.pid ?? 0, { argv: request.command, environment, user, tty: request.tty });
  const { stdin, stdout, stderr } = child;
  stdin?.on("error", () => {});
  if (!request.stdin) stdin?.end();
  peer.onClose(() => stdin?.end());
  peer.onMessage((message) => {
    const incoming = channels.read(message);
    if (incoming === undefined || !request.stdin) return;
    if ("ends" in incoming) {
      if (incoming.ends === 0) stdin?.end();
    } else if (incoming.channel === 0) {
      stdin?.write(incoming.bytes);
    }
  });
  const flow = (stream: Readable | null, channel: number, asked: boolean) =>
    stream?.on("data", (bytes: Buffer) => {
      if (!asked) return;
      channels.write(channel, bytes);
      stream.pause();
      void peer.drained().then(() => stream.resume());
    });
  flow(stdout, 1, request.stdout);
  flow(stderr, 2, request.stderr);
  return { type: "exited", code: await ended, command: request.command };
}
