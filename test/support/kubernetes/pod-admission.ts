import { z } from "zod";
import { isJsonObject, type Json, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import { isImageName } from "./kubelet/images.ts";
import { PodSpec } from "./pod-spec.ts";
import { checkPod } from "./pod-validation.ts";
import { badRequest } from "./status-error.ts";

/** A new pod with the defaults that a server fills in. Throws 400 and 422. */
export function admitPod(draft: KubeObject): KubeObject {
  parseTypes(draft.spec ?? {});
  checkPod(draft);
  const spec = withToken(withDefaults(draft.spec ?? {}));
  const { status: _ignored, ...rest } = draft;
  return { ...rest, spec, status: { phase: "Pending", qosClass: qosClass(spec) } };
}

const typeProblem = z.object({ code: z.literal("invalid_type"), expected: z.string() });

/** Throws 400 where a field has another type than a pod's has. */
function parseTypes(spec: JsonObject): void {
  const parsed = PodSpec.safeParse({ containers: [], ...spec, restartPolicy: undefined });
  if (parsed.success) return;
  for (const issue of parsed.error.issues) {
    const problem = typeProblem.safeParse(issue);
    const field = issue.path.findLast((key) => typeof key === "string");
    if (!problem.success || issue.path.length < 2 || field === "name" || field === "image") continue;
    const wanted = problem.data.expected === "array" ? "[]string" : problem.data.expected;
    const path = issue.path.filter((key) => typeof key === "string").join(".");
    throw badRequest(
      `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field Container.spec.${path} of type ${wanted}`,
    );
  }
}

function withDefaults(spec: JsonObject): JsonObject {
  const account = textAt(spec, "serviceAccountName") ?? textAt(spec, "serviceAccount") ?? "default";
  const { initContainers, volumes, ...rest } = spec;
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: "PreemptLowerPriority",
    ...rest,
    serviceAccountName: account,
    serviceAccount: account,
    tolerations: [...listAt(spec, "tolerations"), toleration("not-ready"), toleration("unreachable")],
    ...(Array.isArray(volumes) && volumes.length > 0 ? { volumes: volumes.map(volumeWithDefaults) } : {}),
    ...(Array.isArray(initContainers) && initContainers.length > 0 ? { initContainers: initContainers.map(containerWithDefaults) } : {}),
    containers: listAt(spec, "containers").map(containerWithDefaults),
  };
}

function toleration(condition: string): JsonObject {
  return { key: `node.kubernetes.io/${condition}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
}

function volumeWithDefaults(volume: Json): Json {
  if (!isJsonObject(volume)) return volume;
  const { secret, configMap } = volume;
  return {
    ...volume,
    ...(isJsonObject(secret) ? { secret: { defaultMode: 420, ...secret } } : {}),
    ...(isJsonObject(configMap) ? { configMap: { defaultMode: 420, ...configMap } } : {}),
  };
}

function containerWithDefaults(container: Json): Json {
  if (!isJsonObject(container)) return container;
  const probes = Object.fromEntries(
    ["startupProbe", "readinessProbe", "livenessProbe"]
      .map((name) => [name, container[name]] as const)
      .filter(([, probe]) => isJsonObject(probe))
      .map(([name, probe]) => [
        name,
        { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3, ...objectAt(probe) },
      ]),
  );
  const limits = objectAt(container, "resources", "limits");
  const requests = { ...limits, ...objectAt(container, "resources", "requests") };
  const resources = { ...objectAt(container, "resources"), ...(Object.keys(requests).length > 0 ? { requests } : {}) };
  const ports = listAt(container, "ports").map((port) => ({ protocol: "TCP", ...objectAt(port) }));
  return {
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: pullPolicy(textAt(container, "image") ?? ""),
    ...container,
    ...probes,
    resources,
    ...(ports.length > 0 ? { ports } : {}),
  };
}

function pullPolicy(image: string): string {
  const [, tag] = /:([^:/@]+)$/.exec(image) ?? [];
  return image.includes("@") || !isImageName(image) || (tag !== undefined && tag !== "latest") ? "IfNotPresent" : "Always";
}

/** A service account's token comes as a projected volume, unless it is not wanted. */
function withToken(spec: JsonObject): JsonObject {
  if (spec["automountServiceAccountToken"] === false) return spec;
  const name = `kube-api-access-${Math.random().toString(36).slice(2, 7)}`;
  const mount = { name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
  const mounted = (container: Json): Json =>
    isJsonObject(container) ? { ...container, volumeMounts: [...listAt(container, "volumeMounts"), mount] } : container;
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
  ];
  return {
    ...spec,
    volumes: [...listAt(spec, "volumes"), { name, projected: { sources, defaultMode: 420 } }],
    containers: listAt(spec, "containers").map(mounted),
    ...(spec["initContainers"] === undefined ? {} : { initContainers: listAt(spec, "initContainers").map(mounted) }),
  };
}

function qosClass(spec: JsonObject): string {
  const all = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
  const quantities = (container: Json, side: string) => objectAt(container, "resources", side);
  const wants = (container: Json) => [...Object.keys(quantities(container, "requests")), ...Object.keys(quantities(container, "limits"))];
  if (all.every((container) => wants(container).length === 0)) return "BestEffort";
  const guaranteed = all.every((container) =>
    ["cpu", "memory"].every((name) => {
      const limit = quantities(container, "limits")[name];
      return limit !== undefined && limit === quantities(container, "requests")[name];
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
