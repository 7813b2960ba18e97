import { expect } from "vitest";
import { permissions } from "../../src/executors/kubernetes/permissions.ts";
import { configsOf, grantsOf, looseImages, type Manifest, workloadsOf } from "./manifests.ts";

/** What an administrator would put into the Secret. */
export const secrets = {
  "redis-url": "redis://redis:6379",
  "admin-token": "a-token-of-enough-length",
  "secret-key": Buffer.alloc(32, 7).toString("base64"),
} as const;

/** What the Kubernetes driver needs, as `grantsOf` writes it. */
export function neededGrants(scope: "namespace" | "cluster"): readonly string[] {
  return permissions
    .filter((permission) => permission.scope === scope)
    .map(({ resource, verbs }) => `/${resource}: ${[...verbs].sort().join()}`);
}

/** Expects everything of a complete set of manifests that does not depend on the tool that made it. */
export function expectFit(manifests: readonly Manifest[]): void {
  const workloads = workloadsOf(manifests);
  expect(looseImages(workloads)).toEqual([]);
  expect(grantsOf(manifests, "Role")).toEqual(neededGrants("namespace"));
  expect(grantsOf(manifests, "ClusterRole")).toEqual(neededGrants("cluster"));
  expect(JSON.stringify(manifests)).not.toContain("cluster-admin");

  const configs = configsOf(manifests, secrets);
  expect([...configs].map(([name, { roles }]) => [name, ...roles]).sort()).toEqual([
    ["api", "api"],
    ["executor", "executor"],
    ["scheduler", "scheduler"],
  ]);
  for (const key of ["redisUrl", "ostUrl", "secretKey", "shards"] as const) {
    expect(new Set([...configs.values()].map((config) => config[key])).size, key).toBe(1);
  }
  expect(configs.get("api")?.adminToken).toBe(secrets["admin-token"]);
  expect(configs.get("executor")?.executor).toMatchObject({ driver: "kubernetes", dynamic: true, id: "metadata.name" });

  const byName = new Map(workloads.map((workload) => [workload.container.name, workload]));
  expect(byName.get("api")?.container).toMatchObject({
    livenessProbe: { httpGet: { path: "/healthz", port: "http" } },
    readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
  });
  const withToken = workloads.filter(({ pod }) => pod.automountServiceAccountToken !== false).map(({ container }) => container.name);
  expect(withToken).toEqual(["executor"]);
  // Draining needs the time that the command in preStop is given.
  const { pod, container } = byName.get("executor") ?? {};
  const sleep = Number(/sleep (\d+)/.exec(JSON.stringify(container?.lifecycle))?.[1]);
  expect(sleep).toBeGreaterThan(0);
  expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(sleep);
}
