import type { JsonObject } from "./json.ts";
import { pods, type Resource, resources } from "./resource.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const reviews: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  "authorization.k8s.io": [["selfsubjectaccessreviews", "SelfSubjectAccessReview"]],
  "authentication.k8s.io": [["selfsubjectreviews", "SelfSubjectReview"]],
};
const storedGroups = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== "");

/** The groups besides the core. */
export const groups: readonly string[] = [...storedGroups, ...Object.keys(reviews)].sort();

const version = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.13",
  gitCommit: "simulated",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "go1.23.5",
  compiler: "gc",
  platform: "linux/amd64",
};

/** What a server says about itself below a path, or undefined for any other path. */
export function discover(path: string, address: string): JsonObject | string | undefined {
  if (path === "/version") return version;
  if (/^\/(healthz|livez|readyz)(\/[a-z-]+)?$/.test(path)) return "ok";
  if (path === "/api") {
    const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress: address }];
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs };
  }
  if (path === "/api/v1") return resourceList("", "v1");
  if (path === "/apis") return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupOf) };
  const [, group = "", groupVersion] = /^\/apis\/([^/]+)(\/v1)?$/.exec(path) ?? [];
  if (!groups.includes(group)) return undefined;
  return groupVersion === undefined ? { kind: "APIGroup", apiVersion: "v1", ...groupOf(group) } : resourceList(group, `${group}/v1`);
}

function groupOf(name: string): JsonObject {
  const newest = { groupVersion: `${name}/v1`, version: "v1" };
  return { name, versions: [newest], preferredVersion: newest };
}

function resourceList(group: string, groupVersion: string): JsonObject {
  const stored = resources.filter((resource) => resource.group === group).flatMap(entries);
  const created = (reviews[group] ?? []).map(([name, kind]) => ({
    name,
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ["create"],
  }));
  const apiVersion = group === "" ? {} : { apiVersion: "v1" };
  return { kind: "APIResourceList", ...apiVersion, groupVersion, resources: [...stored, ...created] };
}

function entries(resource: Resource): readonly JsonObject[] {
  const { plural, singular, namespaced, kind, shortNames, subresources = [] } = resource;
  const own = { name: plural, singularName: singular, namespaced, kind, verbs, ...(shortNames === undefined ? {} : { shortNames }) };
  const below = subresources.map((name) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    kind,
    verbs: subresourceVerbs(resource, name),
  }));
  return [own, ...below];
}

function subresourceVerbs(resource: Resource, name: string): readonly string[] {
  if (resource !== pods || name === "status") return ["get", "patch", "update"];
  return name === "log" ? ["get"] : name === "eviction" ? ["create"] : ["create", "get"];
}
