import { until } from "../until.ts";
import type { ClusterUnderTest } from "./cluster-under-test.ts";
import { type Json, type JsonObject, numberAt, parseJson, textAt } from "./json.ts";

/** A container of a test's pod: a shell script in busybox. */
export function shell(name: string, script: string, more: JsonObject = {}): JsonObject {
  return { name, image: "docker.io/library/busybox:1", command: ["sh", "-c", script], ...more };
}

/** No node has it, so that the pod stays Pending. */
export const nowhere = { nodeSelector: { "kubernetes.io/arch": "arm64" } };

/** Makes a pod that is never restarted and has no token. */
export async function createPod(
  cluster: ClusterUnderTest,
  {
    name,
    namespace = cluster.namespace,
    labels = { app: "facts" },
    ...spec
  }: { readonly name: string; readonly namespace?: string; readonly labels?: JsonObject; readonly [field: string]: Json },
): Promise<JsonObject> {
  const basic = { restartPolicy: "Never", automountServiceAccountToken: false, dnsPolicy: "Default", terminationGracePeriodSeconds: 1 };
  const body = { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: { ...basic, ...spec } };
  return api(cluster, "POST", `/api/v1/namespaces/${namespace}/pods`, body);
}

/** Asks and parses the answer, whatever its status. */
export async function api(cluster: ClusterUnderTest, method: string, path: string, body?: Json): Promise<JsonObject> {
  const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const response = await cluster.request({
    method,
    path,
    headers: { "content-type": contentType },
    ...(body === undefined ? {} : { body }),
  });
  const parsed = response.text === "" ? {} : parseJson(response.text);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? Object.fromEntries(Object.entries(parsed)) : {};
}

/** Waits until a pod is in a phase. */
export async function untilPhase(cluster: ClusterUnderTest, name: string, phase: string): Promise<void> {
  await until(`the pod ${name} is ${phase}`, async () => {
    const pod = await api(cluster, "GET", `/api/v1/namespaces/${cluster.namespace}/pods/${name}`);
    return textAt(pod, "status", "phase") === phase;
  });
}

/** Waits until a pod is gone. */
export async function untilGone(cluster: ClusterUnderTest, name: string): Promise<void> {
  await until(`the pod ${name} is gone`, async () => {
    const answer = await api(cluster, "GET", `/api/v1/namespaces/${cluster.namespace}/pods/${name}`);
    return numberAt(answer, "code") === 404;
  });
}
