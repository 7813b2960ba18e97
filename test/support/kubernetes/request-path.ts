import { groups } from "./discovery.ts";
import { namespaces, type Resource, resources } from "./resource.ts";
import { noSuchResource } from "./status-error.ts";

/** What a path names. */
export interface Target {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** The old form of a watch: /api/v1/watch/... */
  readonly watch: boolean;
}

/** Parses a path below a group; undefined for one that no group has. Throws 404 for an unknown resource of a known group. */
export function parsePath(path: string): Target | undefined {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const group = parts[0] === "api" ? "" : parts[1];
  const known = (parts[0] === "api" && parts[1] === "v1") || (parts[0] === "apis" && groups.includes(group ?? "") && parts[2] === "v1");
  const below = parts.slice(group === "" ? 2 : 3);
  if (!known || below.length === 0) return undefined;
  const watch = below[0] === "watch";
  return { ...locate(group ?? "", watch ? below.slice(1) : below), watch };
}

function locate(group: string, parts: readonly string[]): Omit<Target, "watch"> {
  const [first, namespace, plural, ...rest] = parts;
  const inNamespace = first === "namespaces" && plural !== undefined && !(namespaces.subresources ?? []).includes(plural);
  const [name, subresource, tooMuch] = inNamespace ? rest : parts.slice(1);
  const wanted = inNamespace ? plural : first;
  const resource = resources.find((candidate) => candidate.group === group && candidate.plural === wanted);
  if (resource === undefined || tooMuch !== undefined || (inNamespace && !resource.namespaced)) throw noSuchResource();
  if (subresource !== undefined && !(resource.subresources ?? []).includes(subresource)) throw noSuchResource();
  if (!inNamespace && resource.namespaced && name !== undefined) throw noSuchResource();
  return { resource, namespace: inNamespace ? namespace : undefined, name, subresource };
}
