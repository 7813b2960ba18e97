import { isJsonObject, type JsonObject, objectAt } from "./json.ts";

const podSpecFields = new Set(
  (
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers hostAliases hostIPC " +
    "hostNetwork hostPID hostUsers hostname imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName " +
    "readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount serviceAccountName " +
    "setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes"
  ).split(" "),
);

/** The first field of a pod's spec that no pod has, and the pod without it. */
export function findUnknownField(rest: JsonObject): { readonly path: string; readonly without: JsonObject } | undefined {
  const spec = objectAt(rest, "spec");
  const unknown = Object.keys(spec).find((field) => !podSpecFields.has(field));
  if (unknown === undefined || !isJsonObject(rest["spec"])) return undefined;
  const { [unknown]: _dropped, ...known } = spec;
  return { path: `spec.${unknown}`, without: { ...rest, spec: known } };
}
