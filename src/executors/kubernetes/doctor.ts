import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import type { Config } from "../../config.ts";
import { judgeClock } from "../../doctor/clock.ts";
import type { Check } from "../../doctor/examine.ts";
import { type Finding, failed, ok, warning } from "../../doctor/finding.ts";
import { randomId } from "../../ids.ts";
import { ApiError, isStatus } from "./api-error.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { kubernetesOptions } from "./kubernetes-driver.ts";
import { type Permission, permissions } from "./permissions.ts";
import { podManifest } from "./pod-manifest.ts";

/** Older servers lack what the driver builds on; what they lack besides, it does without. */
const leastMinor = 28;
/** Objects carry whole seconds. */
const stampMs = 1_000;

const Version = z.object({ major: z.string(), minor: z.string(), gitVersion: z.string() });
const Review = z.object({ status: z.object({ allowed: z.boolean() }) });
const Created = z.object({ metadata: z.object({ creationTimestamp: z.coerce.date() }) });
const Nodes = z.object({ items: z.array(z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }) })) });

/** What the driver of pods needs: a server that is new enough, the rights in `permissions.ts`, a namespace that takes its pods. */
export function kubernetesChecks({ executor, heartbeatTtlMs }: Config): readonly Check[] {
  const advice = "make the API server reachable from here: see OSTLER_KUBERNETES_KUBECONFIG and OSTLER_KUBERNETES_CONTEXT";
  const { archs, helperImage } = executor;
  const check = (name: string, perform: (cluster: Cluster, signal: AbortSignal) => Promise<readonly Finding[]>): Check => ({
    name: `kubernetes.${name}`,
    advice,
    perform: async (signal) => {
      const cluster = await openCluster(kubernetesOptions(executor));
      return perform(cluster, signal).finally(cluster.close);
    },
  });
  return [
    check("server", checkServer),
    check("permissions", async (cluster, signal) => {
      const findings = await Promise.all(permissions.map((permission) => checkPermission(cluster, permission, signal)));
      return findings;
    }),
    check("namespace", checkNamespace),
    check("nodes", (cluster, signal) => checkNodes(cluster, archs, signal)),
    check("pod", (cluster, signal) => checkPod(cluster, { helperImage, toleratedMs: heartbeatTtlMs / 4 }, signal)),
  ];
}

async function checkServer({ api }: Cluster, signal: AbortSignal): Promise<readonly Finding[]> {
  const { major, minor, gitVersion } = Version.parse(await api.call({ method: "GET", path: "/version" }, signal));
  const isNewEnough = Number.parseInt(major, 10) > 1 || Number.parseInt(minor, 10) >= leastMinor;
  if (isNewEnough) return [ok("kubernetes.server", `Kubernetes ${gitVersion}`)];
  return [failed("kubernetes.server", `Kubernetes ${gitVersion}`, `use a cluster of version 1.${leastMinor} or newer`)];
}

/** Asks for each verb whether this account may do it. */
async function checkPermission({ api, namespace }: Cluster, permission: Permission, signal: AbortSignal): Promise<Finding> {
  const { scope, why, without } = permission;
  const [resource, subresource] = permission.resource.split("/");
  const refused: string[] = [];
  for (const verb of permission.verbs) {
    const place = scope === "namespace" ? { namespace, ...(resource === "namespaces" && { name: namespace }) } : {};
    const resourceAttributes = { ...place, verb, resource, ...(subresource !== undefined && { subresource }) };
    const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
    const answer = await api.call({ method: "POST", path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body }, signal);
    if (!Review.parse(answer).status.allowed) refused.push(verb);
  }
  const check = `kubernetes.permission.${permission.resource}`;
  if (refused.length === 0) return ok(check, `may ${permission.verbs.join(", ")} ${permission.resource}`);
  const message = `may not ${refused.join(", ")} ${permission.resource}`;
  if (without !== undefined) return warning(check, `${message}: ${without}`, "or grant it (deploy/kustomize)");
  return failed(
    check,
    `${message}, which it needs for this: ${why}`,
    `grant it in the namespace ${namespace} (deploy/kustomize/base/permissions.yaml)`,
  );
}

async function checkNamespace({ api, namespace }: Cluster, signal: AbortSignal): Promise<readonly Finding[]> {
  const check = "kubernetes.namespace";
  try {
    await api.call({ method: "GET", path: `/api/v1/namespaces/${namespace}` }, signal);
    return [ok(check, `pods go to the namespace ${namespace}`)];
  } catch (error) {
    if (isStatus(error, 404)) {
      const advice = `kubectl create namespace ${namespace}, or set OSTLER_KUBERNETES_NAMESPACE`;
      return [failed(check, `the cluster has no namespace ${namespace}`, advice)];
    }
    // Said by the permissions; whether it exists shows where a pod is tried.
    if (isStatus(error, 403)) return [];
    throw error;
  }
}

async function checkNodes({ api }: Cluster, archs: readonly string[] | undefined, signal: AbortSignal): Promise<readonly Finding[]> {
  const check = "kubernetes.nodes";
  try {
    const { items } = Nodes.parse(await api.call({ method: "GET", path: "/api/v1/nodes", query: { limit: "500" } }, signal));
    const found = [...new Set(items.flatMap(({ metadata: { labels } }) => labels["kubernetes.io/arch"] ?? []))].sort();
    const message = `${items.length} ${items.length === 1 ? "node" : "nodes"} of ${found.join(", ") || "no architecture"}`;
    if (items.length === 0) return [warning(check, "the cluster has no nodes: tasks wait until one comes", "add nodes")];
    const missing = (archs ?? []).filter((arch) => !found.includes(arch));
    if (missing.length === 0) return [ok(check, message)];
    const advice = "set OSTLER_EXECUTOR_ARCHS to what the nodes have, or leave it out";
    return [warning(check, `${message}, but OSTLER_EXECUTOR_ARCHS offers ${missing.join(", ")}`, advice)];
  } catch (error) {
    if (isStatus(error, 403)) return [];
    throw error;
  }
}

/** Has the server say what it would make of a task's pod: admission and quotas speak, nothing is stored. The answer tells its time. */
async function checkPod(
  { api, namespace }: Cluster,
  { helperImage, toleratedMs }: { readonly helperImage: string; readonly toleratedMs: number },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const check = "kubernetes.pod";
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const askedMs = Date.now();
  try {
    const body = probePod(helperImage, askedMs);
    const { metadata } = Created.parse(await api.call({ method: "POST", path, query: { dryRun: "All" }, body }, signal));
    const otherMs = metadata.creationTimestamp.getTime();
    const answeredMs = Date.now();
    const reading = { check: "kubernetes.clock", whose: "the cluster's clock", otherMs, askedMs: askedMs - stampMs, answeredMs };
    return [ok(check, "a task's pod would be taken"), judgeClock({ ...reading, toleratedMs })];
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    const advice = "see the namespace's quotas, limit ranges and pod security, and the cluster's admission webhooks";
    return [failed(check, `a task's pod would be refused: ${error.message}`, advice)];
  }
}

function probePod(helperImage: string, now: number): V1Pod {
  const id = `ostler-doctor-${randomId(8)}`;
  const owner = {
    installation: "doctor",
    executor: "doctor",
    incarnation: "doctor",
    group: "doctor",
    runId: "doctor",
    task: "doctor",
    attempt: 1,
  };
  const container = { image: helperImage, environment: {}, privileged: false, tmpfs: [] };
  const times = { deadlineAt: now + 60_000, startBy: now + 60_000, fenceMs: 60_000 };
  const spec = { id, owner, arch: undefined, containers: [container], registries: {}, ...times };
  return podManifest(spec, { helperImage, helperOrder: "before", nativeSidecars: false, now });
}
