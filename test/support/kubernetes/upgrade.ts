import type { Duplex } from "node:stream";
import { attach } from "./attach.ts";
import type { Cluster } from "./cluster.ts";
import { type ExecRequest, execObstacle, parseExec, refuseExec, serveExec } from "./exec.ts";
import { chooseProtocol } from "./exec-channels.ts";
import { type Chosen, chooseContainer, findTask } from "./pod-access.ts";
import { findLog, limited, parseLogRequest } from "./pod-logs.ts";
import type { Target } from "./request-path.ts";
import { badRequest } from "./status-error.ts";
import { acceptWebSocket } from "./web-socket.ts";

/** A request to speak WebSocket on a pod's exec, attach or log. */
export interface UpgradeRequest {
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly key: string;
  readonly offered: string | undefined;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Answers it, on the socket. Throws StatusError for what is refused before the upgrade. */
export async function answerUpgrade(cluster: Cluster, request: UpgradeRequest): Promise<void> {
  const { target, query } = request;
  const { namespace, name = "", subresource } = target;
  const chosen = chooseContainer(cluster.store, { namespace, name }, query.get("container"));
  if (subresource === "log") return streamLog(cluster, request, chosen);
  if (subresource !== "exec" && subresource !== "attach") throw badRequest("Upgrade request required");
  if (chosen.node === undefined) throw badRequest(`pod ${name} does not have a host assigned`);
  const protocol = chooseProtocol(request.offered);
  if (protocol === undefined) return refuse(request.socket, "403 Forbidden", "");

  const task = findTask(cluster.nodes, chosen);
  const exec = parseExec(query);
  const why = execObstacle(exec, chosen, task);
  if (why !== undefined) return tellObstacle(cluster, request, { protocol, exec, why });
  if (task === "away" || task === undefined) return;
  const peer = open(cluster, request, protocol);
  if (subresource === "attach") attach(peer, protocol, task);
  else await serveExec(peer, protocol, { request: exec, task });
}

/** Only the newest protocol upgrades first and tells then. */
function tellObstacle(
  cluster: Cluster,
  request: UpgradeRequest,
  { protocol, exec, why }: { readonly protocol: string; readonly exec: ExecRequest; readonly why: string },
): void {
  if (protocol.startsWith("v5")) refuseExec(open(cluster, request, protocol), protocol, { request: exec, why });
  else refuse(request.socket, "500 Internal Server Error", why.replace("unable to upgrade connection: ", ""));
}

function open({ cutter }: Cluster, { socket, key, head }: UpgradeRequest, protocol: string) {
  return acceptWebSocket(socket, cutter.guard(socket, socket), { key, protocol, head });
}

async function streamLog(cluster: Cluster, request: UpgradeRequest, chosen: Chosen): Promise<void> {
  const wanted = parseLogRequest(request.query, request.target.name ?? "");
  const found = findLog(cluster.nodes, chosen, wanted.previous);
  if (found === "none") return refuse(request.socket, "204 No Content", "");
  const names = request.offered?.split(",").map((name) => name.trim());
  const protocol = names === undefined ? "" : ["binary.k8s.io", "base64.binary.k8s.io"].find((one) => names.includes(one));
  if (protocol === undefined) return refuse(request.socket, "403 Forbidden", "");
  const peer = open(cluster, request, protocol);
  const ended = new AbortController();
  peer.onClose(() => ended.abort());
  const put = (bytes: Buffer) => peer.send(protocol.startsWith("base64") ? bytes.toString("base64") : bytes);
  put(Buffer.alloc(0));
  for await (const chunk of limited(found.read(wanted.request, ended.signal), wanted.limitBytes)) put(chunk);
  peer.close(1000);
}

/** A plain answer instead of an upgrade. */
export function refuse(socket: Duplex, status: string, text: string, contentType = "text/plain; charset=utf-8"): void {
  const body = Buffer.from(text);
  const headers = body.length === 0 ? [] : [`Content-Type: ${contentType}`, `Content-Length: ${body.length}`];
  socket.end(Buffer.concat([Buffer.from([`HTTP/1.1 ${status}`, ...headers, "Connection: close", "\r\n"].join("\r\n")), body]));
}
