import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer, type Server } from "node:https";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { type Attempt, anonymous, authorize, authorizePath, type User } from "./access.ts";
import { type Answer, json, send, sendError } from "./answer.ts";
import type { Certificate } from "./certificate.ts";
import type { Cluster } from "./cluster.ts";
import { discover } from "./discovery.ts";
import { isJsonObject, parseJson } from "./json.ts";
import { parsePath, type Target } from "./request-path.ts";
import { answerResource, verbOf } from "./resource-request.ts";
import { reviewOwnAccess, reviewSelf } from "./reviews.ts";
import { badRequest, StatusError } from "./status-error.ts";
import { answerUpgrade, refuse } from "./upgrade.ts";

const maxBodyBytes = 3_145_728;

/** The HTTP side of the simulated API server. */
export function createApiServer(cluster: Cluster, { key, cert }: Certificate): Server {
  const server = createServer({ key, cert }, (request, response) => void answer(cluster, request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(cluster, request, { socket, head }));
  server.on("clientError", (_error: Error, socket: Duplex) => refuseLater(socket));
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  return server;
}

/**
 * What cannot be read as a request is refused, after the answer to the request before: a body that was sent without its length
 * is no part of its request, which is obeyed without it.
 */
function refuseLater(socket: Duplex): void {
  setTimeout(() => {
    if (!socket.destroyed) refuse(socket, "400 Bad Request", "400 Bad Request");
  }, 50).unref();
}

async function answer(cluster: Cluster, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(response, await respond(cluster, request), cluster.cutter);
  } catch (error) {
    if (!response.headersSent) sendError(response, error, cluster.cutter);
    else response.destroy();
  }
}

async function respond(cluster: Cluster, request: IncomingMessage): Promise<Answer> {
  const user = userOf(cluster, request);
  const url = new URL(request.url ?? "/", "https://kubernetes");
  const method = request.method ?? "GET";
  const review = reviewPath.exec(url.pathname)?.[1];
  if (review !== undefined && method === "POST") return answerReview(review, user, await bodyOf(request));

  const found = method === "GET" ? discover(url.pathname, request.headers.host ?? "") : undefined;
  if (found !== undefined) {
    authorizePath(user, url.pathname);
    return typeof found === "string" ? { type: "text", code: 200, text: found } : json(200, found);
  }
  const target = parsePath(url.pathname);
  if (target === undefined) {
    authorizePath(user, url.pathname);
    return { type: "text", code: 404, text: "404 page not found\n" };
  }
  const verb = verbOf(method, target, url.searchParams);
  checkAccept(request.headers.accept ?? "");
  admit(cluster, user, attemptOf(target, verb));
  const body = await bodyOf(request);
  return answerResource(cluster, { target, verb, query: url.searchParams, contentType: request.headers["content-type"] ?? "", body });
}

const reviewPath = /^\/apis\/auth(?:orization|entication)\.k8s\.io\/v1\/(selfsubjectaccessreviews|selfsubjectreviews)$/;

function answerReview(review: string, user: User, text: string): Answer {
  if (review === "selfsubjectreviews") return json(201, reviewSelf(user));
  const body = parseJson(text);
  if (!isJsonObject(body)) throw badRequest("not a review");
  return json(201, reviewOwnAccess(user, body));
}

async function upgrade(
  cluster: Cluster,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  socket.on("error", () => socket.destroy());
  try {
    const user = userOf(cluster, request);
    const url = new URL(request.url ?? "/", "https://kubernetes");
    const target = parsePath(url.pathname);
    if (target === undefined) return refuse(socket, "404 Not Found", "404 page not found\n");
    admit(cluster, user, attemptOf(target, "get"));
    const key = request.headers["sec-websocket-key"] ?? "";
    const offered = request.headers["sec-websocket-protocol"];
    await answerUpgrade(cluster, { target, query: url.searchParams, key, offered, socket, head });
  } catch (error) {
    if (!(error instanceof StatusError)) return refuse(socket, "500 Internal Server Error", String(error));
    refuse(socket, `${error.code} ${STATUS_CODES[error.code]}`, `${JSON.stringify(error.body)}\n`, "application/json");
  }
}

/** Throws 401 for a token that nobody has. */
function userOf(cluster: Cluster, request: IncomingMessage): User {
  const [, token] = /^Bearer (.*)$/.exec(request.headers.authorization ?? "") ?? [];
  if (token === undefined) return anonymous;
  const user = cluster.userOf(token);
  if (user === undefined) throw new StatusError({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
  return user;
}

function attemptOf({ resource, namespace, name, subresource }: Target, verb: string): Attempt {
  const full = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  return { verb, group: resource.group, resource: full, namespace: resource.plural === "namespaces" ? name : namespace, name };
}

function admit(cluster: Cluster, user: User, attempt: Attempt): void {
  cluster.requests.add(attempt);
  authorize(user, attempt);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const body = await text(request);
  if (Buffer.byteLength(body) <= maxBodyBytes) return body;
  throw new StatusError({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: limit is ${maxBodyBytes}` });
}

function checkAccept(accept: string): void {
  if (accept === "" || /\*\/\*|application\/(\*|json|yaml)/.test(accept)) return;
  const available =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
  throw new StatusError({
    code: 406,
    reason: "NotAcceptable",
    message: `406: Not Acceptable\n\nAvailable representations: ${available}`,
    details: {},
  });
}
