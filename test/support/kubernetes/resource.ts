/** A kind of object that the simulated server stores. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly subresources?: readonly string[];
}

const core = (kind: string, plural: string, namespaced = true): Resource => ({
  group: "",
  version: "v1",
  plural,
  singular: kind.toLowerCase(),
  kind,
  namespaced,
});

export const pods: Resource = {
  ...core("Pod", "pods"),
  shortNames: ["po"],
  subresources: ["attach", "eviction", "exec", "log", "status"],
};
export const secrets: Resource = core("Secret", "secrets");
export const configMaps: Resource = { ...core("ConfigMap", "configmaps"), shortNames: ["cm"] };
export const events: Resource = { ...core("Event", "events"), shortNames: ["ev"] };
export const serviceAccounts: Resource = { ...core("ServiceAccount", "serviceaccounts"), shortNames: ["sa"] };
export const namespaces: Resource = { ...core("Namespace", "namespaces", false), shortNames: ["ns"], subresources: ["status"] };
export const nodes: Resource = { ...core("Node", "nodes", false), shortNames: ["no"], subresources: ["status"] };
/** To store another kind, add it here. */
export const resources: readonly Resource[] = [configMaps, events, namespaces, nodes, pods, secrets, serviceAccounts];

/** The `apiVersion` of its objects. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}
