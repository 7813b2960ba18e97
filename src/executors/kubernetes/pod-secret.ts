import type { V1EnvVar, V1Secret } from "@kubernetes/client-node";
import type { PodSpec } from "../driver.ts";
import { registryOf } from "../image-registry.ts";
import type { PodKey } from "./pod-watch.ts";

/** Docker's own name for its registry, in files of credentials. */
const dockerHub = "https://index.docker.io/v1/";

/** Says nothing; it is what the pod's helper mounts, to wait for the secret. */
export const readyKey = "ready";

/** Every pod has at most one secret, of its own name: logins to its images' registries, and its services' environment. */
export function hasSecret(spec: PodSpec): boolean {
  return loginsOf(spec).length > 0 || spec.containers.slice(1).some(({ environment }) => Object.keys(environment).length > 0);
}

export function hasLogins(spec: PodSpec): boolean {
  return loginsOf(spec).length > 0;
}

/** The main container's own environment is not in it: that comes with each step. The secret goes with its pod. */
export function podSecret(spec: PodSpec, { name, uid }: PodKey, labels: Readonly<Record<string, string>>): V1Secret {
  const logins = loginsOf(spec);
  const environment = spec.containers.flatMap((container, index) =>
    index === 0 ? [] : Object.values(container.environment).map((value, nth) => [environmentKey(index, nth), value] as const),
  );
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      labels: { ...labels },
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid }],
    },
    type: logins.length > 0 ? "kubernetes.io/dockerconfigjson" : "Opaque",
    stringData: {
      [readyKey]: "",
      ...Object.fromEntries(environment),
      ...(logins.length > 0 && { ".dockerconfigjson": JSON.stringify({ auths: Object.fromEntries(logins) }) }),
    },
  };
}

/** A service's environment as references into the pod's secret, in the order of `podSecret`. */
export function secretEnvironment(spec: PodSpec, service: number): V1EnvVar[] {
  return Object.keys(spec.containers[service]?.environment ?? {}).map((name, nth) => ({
    name,
    valueFrom: { secretKeyRef: { name: spec.id, key: environmentKey(service, nth) } },
  }));
}

function environmentKey(service: number, nth: number): string {
  return `service-${service}.${nth}`;
}

type Login = { readonly username: string; readonly password: string; readonly auth: string };

/** Only those that an image of this pod asks for. */
function loginsOf({ containers, registries }: PodSpec): readonly (readonly [string, Login])[] {
  const hosts = new Set(containers.map(({ image }) => registryOf(image)));
  return Object.entries(registries)
    .filter(([host]) => hosts.has(host))
    .map(([host, { username, password }]) => {
      const auth = Buffer.from(`${username}:${password}`).toString("base64");
      return [host === "docker.io" ? dockerHub : host, { username, password, auth }] as const;
    });
}
