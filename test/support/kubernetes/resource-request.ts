import { setTimeout as delay } from "node:timers/promises";
import { type Answer, json } from "./answer.ts";
import type { Cluster } from "./cluster.ts";
import { deleteObject, parseDeleteOptions } from "./deletion.ts";
import { parseDraft } from "./draft.ts";
import { evictPod } from "./eviction.ts";
import { isJsonObject, type JsonObject, parseJson } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import { listPage } from "./paging.ts";
import { chooseContainer } from "./pod-access.ts";
import { findLog, limited, parseLogRequest } from "./pod-logs.ts";
import { createObject, patchObject, replaceObject } from "./registry.ts";
import type { Target } from "./request-path.ts";
import { apiVersionOf, namespaces, pods } from "./resource.ts";
import { parseFieldSelector, parseLabelSelector, type Selector } from "./selectors.ts";
import { badRequest, methodNotAllowed, StatusError } from "./status-error.ts";
import { findUnknownField } from "./unknown-fields.ts";
import { isTrue, openWatch } from "./watch.ts";

/** A request about a kind that the server stores. */
export interface ResourceRequest {
  readonly target: Target;
  readonly verb: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: string;
}

/** The verb that access rules know for a request. Throws 405. */
export function verbOf(method: string, target: Target, query: URLSearchParams): string {
  const { name, subresource } = target;
  if (method === "GET" && (target.watch || isTrue(query.get("watch")))) return "watch";
  if (method === "GET") return name === undefined ? "list" : "get";
  if (method === "POST" && (name === undefined || (subresource !== undefined && subresource !== "status" && subresource !== "log")))
    return "create";
  if (method === "PUT" && name !== undefined) return "update";
  if (method === "PATCH" && name !== undefined) return "patch";
  if (method === "DELETE" && name !== undefined) return "delete";
  if (method === "DELETE" && target.resource !== namespaces) return "deletecollection";
  throw methodNotAllowed();
}

/** Answers it. Throws StatusError. */
export async function answerResource(cluster: Cluster, request: ResourceRequest): Promise<Answer> {
  switch (request.verb) {
    case "watch":
      return watch(cluster, request);
    case "list":
      return list(cluster, request);
    case "get":
      return get(cluster, request);
    case "create":
      return create(cluster, request);
    case "update":
      return json(
        200,
        replaceObject(cluster.store, placeOf(request), parseDraft(request.body, request.target.resource), request.target.subresource),
      );
    case "patch":
      return patch(cluster, request);
    case "delete":
      return remove(cluster, request);
    case "deletecollection":
      return removeAll(cluster, request);
    default:
      throw methodNotAllowed();
  }
}

function placeOf({ target }: ResourceRequest) {
  return { resource: target.resource, namespace: target.namespace, name: target.name ?? "" };
}

function selectorOf({ target, query }: ResourceRequest): Selector | undefined {
  const labels = query.get("labelSelector");
  const fields = query.get("fieldSelector");
  const byLabel = labels === null || labels === "" ? undefined : parseLabelSelector(labels);
  const byField = fields === null || fields === "" ? undefined : parseFieldSelector(fields, target.resource);
  const byName: Selector | undefined = target.name === undefined ? undefined : (object) => object.metadata.name === target.name;
  const all = [byLabel, byField, byName].filter((selector) => selector !== undefined);
  return all.length === 0 ? undefined : (object) => all.every((selector) => selector(object));
}

function watch({ store, speed }: Cluster, request: ResourceRequest): Answer {
  const { resource, namespace } = request.target;
  const opened = openWatch(store, { resource, namespace, selector: selectorOf(request), query: request.query }, speed);
  return {
    type: "stream",
    contentType: "application/json",
    open: (write, end, signal) => {
      const stop = opened.start((line) => write(Buffer.from(`${JSON.stringify(line)}\n`)), end);
      signal.addEventListener("abort", stop);
    },
  };
}

async function list({ store, speed }: Cluster, request: ResourceRequest): Promise<Answer> {
  const { resource, namespace } = request.target;
  try {
    const page = listPage(store, { resource, namespace, selector: selectorOf(request), query: request.query });
    const metadata = { resourceVersion: String(page.version), continue: page.continueToken, remainingItemCount: page.remaining };
    return json(200, { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items: page.items.map(asItem) });
  } catch (error) {
    // A real server waits whether the version comes up.
    if (error instanceof StatusError && error.code === 504) await delay(3000 / speed);
    throw error;
  }
}

function asItem({ kind: _kind, apiVersion: _apiVersion, ...item }: KubeObject): JsonObject {
  return item;
}

function get(cluster: Cluster, request: ResourceRequest): Answer {
  const { resource, namespace, name } = placeOf(request);
  if (request.target.subresource === "log") return log(cluster, request);
  const object = cluster.store.get(resource, namespace, name);
  if (request.target.subresource !== undefined && request.target.subresource !== "status") throw badRequest("Upgrade request required");
  return json(200, object);
}

function log({ store, nodes }: Cluster, request: ResourceRequest): Answer {
  const { namespace, name } = placeOf(request);
  const chosen = chooseContainer(store, { namespace, name }, request.query.get("container"));
  const wanted = parseLogRequest(request.query, name);
  const found = findLog(nodes, chosen, wanted.previous);
  if (found === "none") return { type: "empty", code: 204 };
  return {
    type: "stream",
    contentType: "text/plain",
    open: (write, end, signal) => {
      const pump = async () => {
        for await (const chunk of limited(found.read(wanted.request, signal), wanted.limitBytes)) write(chunk);
        end();
      };
      pump().catch(end);
    },
  };
}

function create({ store }: Cluster, request: ResourceRequest): Answer {
  const { resource, namespace, name } = placeOf(request);
  if (request.target.subresource === "eviction") {
    const body = request.body === "" ? {} : parseJson(request.body);
    return json(201, evictPod(store, { namespace, name }, isJsonObject(body) ? body : {}));
  }
  if (request.target.subresource !== undefined) throw badRequest("Upgrade request required");
  checkContentType(request.contentType);
  const draft = parseDraft(request.body, resource);
  const unknown = resource === pods ? findUnknownField(draft.rest) : undefined;
  if (unknown !== undefined && request.query.get("fieldValidation") === "Strict") {
    throw badRequest(
      `Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field ${JSON.stringify(unknown.path)}`,
    );
  }
  const cleaned = unknown === undefined ? draft : { ...draft, rest: unknown.without };
  const answer = json(201, createObject(store, { resource, namespace }, cleaned, request.query.get("dryRun") === "All"));
  return unknown === undefined ? answer : { ...answer, ...warning(`unknown field "${unknown.path}"`) };
}

function warning(text: string) {
  return { warning: `299 - ${JSON.stringify(text)}` };
}

function checkContentType(contentType: string): void {
  const type = contentType.split(";")[0]?.trim();
  if (type === undefined || type === "" || type === "application/json") return;
  const accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
  throw new StatusError({
    code: 415,
    reason: "UnsupportedMediaType",
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  });
}

function patch({ store }: Cluster, request: ResourceRequest): Answer {
  const { contentType, body, target } = request;
  return json(200, patchObject(store, placeOf(request), { contentType, text: body, subresource: target.subresource }));
}

function remove({ store }: Cluster, request: ResourceRequest): Answer {
  const { resource, namespace, name } = placeOf(request);
  const gone = deleteObject(store, resource, { namespace, name, options: parseDeleteOptions(request.body, request.query) });
  if (resource === pods || resource === namespaces) return json(200, gone);
  const details = { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural, uid: gone.metadata.uid };
  return json(200, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details });
}

function removeAll({ store }: Cluster, request: ResourceRequest): Answer {
  const { resource, namespace } = request.target;
  const options = parseDeleteOptions(request.body, request.query);
  const meant = selectorOf(request);
  const found = store.list(resource, namespace).filter((object) => meant?.(object) ?? true);
  const metadata = { resourceVersion: String(store.version) };
  for (const { metadata: at } of found) deleteObject(store, resource, { namespace: at.namespace, name: at.name, options });
  return json(200, { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items: found.map(asItem) });
}
