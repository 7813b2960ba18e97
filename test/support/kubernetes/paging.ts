import { z } from "zod";
import { parseJson } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Resource } from "./resource.ts";
import type { Selector } from "./selectors.ts";
import { badRequest, expired, internal, StatusError } from "./status-error.ts";

/** A page of a list, and how to get the next one. */
export interface Page {
  readonly version: number;
  readonly items: readonly KubeObject[];
  readonly continueToken?: string;
  readonly remaining?: number;
}

export interface ListRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly selector: Selector | undefined;
  readonly query: URLSearchParams;
}

const Token = z.object({ v: z.literal("meta.k8s.io/v1"), rv: z.number(), start: z.string() });

/** Lists a page. `-1` as the token's version goes on at the present one. Throws 400, 410, 500, 504. */
export function listPage(store: ObjectStore, request: ListRequest): Page {
  const { resource, namespace, query } = request;
  const limit = parseLimit(query.get("limit"));
  const token = parseToken(query.get("continue"));
  const version = token === undefined ? versionOfList(store, query) : token.rv === -1 ? store.version : token.rv;
  if (token !== undefined && isTooOld(store, version)) throw tokenExpired(token.start);

  const all = version === store.version ? store.list(resource, namespace) : store.listAt(version, resource, namespace);
  const meant = request.selector === undefined ? all : all.filter(request.selector);
  const rest = token === undefined ? meant : meant.filter((object) => keyOf(object) > token.start);
  const items = limit === 0 ? rest : rest.slice(0, limit);
  const last = items.at(-1);
  if (items.length === rest.length || last === undefined) return { version, items };
  const continueToken = encodeToken(version, keyOf(last));
  return request.selector === undefined
    ? { version, items, continueToken, remaining: rest.length - items.length }
    : { version, items, continueToken };
}

/** Parses a resourceVersion of a query; an empty one is undefined. Throws 500, as real servers do. */
export function parseVersion(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text)) {
    throw internal(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

function versionOfList(store: ObjectStore, query: URLSearchParams): number {
  const version = parseVersion(query.get("resourceVersion"));
  if (version === undefined) return store.version;
  if (query.get("resourceVersionMatch") !== "Exact") {
    if (version > store.version) throw tooLarge(version, store.version);
    return store.version;
  }
  if (version > store.version) throw internal("etcdserver: mvcc: required revision is a future revision");
  if (isTooOld(store, version)) throw expired("The resourceVersion for the provided list is too old.");
  return version;
}

function isTooOld(store: ObjectStore, version: number): boolean {
  return version < store.oldest || version < store.compactedAt;
}

function tooLarge(version: number, current: number): StatusError {
  return new StatusError({
    code: 504,
    reason: "Timeout",
    message: `Timeout: Too large resource version: ${version}, current: ${current}`,
    details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 },
    retryAfterSeconds: 1,
  });
}

function tokenExpired(start: string): StatusError {
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, " +
    "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - " +
    "objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
  return expired(message, { continue: encodeToken(-1, start) });
}

function parseLimit(text: string | null): number {
  if (text === null || text === "") return 0;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Math.max(0, Number(text));
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function encodeToken(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv, start })).toString("base64url");
}

function parseToken(text: string | null): z.infer<typeof Token> | undefined {
  if (text === null || text === "") return undefined;
  try {
    return Token.parse(parseJson(Buffer.from(text, "base64url").toString()));
  } catch {
    throw badRequest("invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value");
  }
}
