import { isDeepStrictEqual } from "node:util";
import { isJsonObject, type Json, type JsonObject, listAt, numberAt } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import { pods } from "./resource.ts";
import { type Cause, forbiddenValue, invalid, invalidValue } from "./status-error.ts";

const mayChange =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
  "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** A replaced pod: only images, the deadline and added tolerations may differ; the status stays. Throws 422. */
export function admitPodUpdate(draft: KubeObject, current: KubeObject): KubeObject {
  const next = draft.spec ?? {};
  const before = current.spec ?? {};
  const causes = [...deadlineProblems(next, before), ...specProblems(next, before)];
  if (causes.length > 0) throw invalid(pods, current.metadata.name, causes);
  return { ...draft, ...(current.status === undefined ? {} : { status: current.status }) };
}

function deadlineProblems(next: JsonObject, before: JsonObject): readonly Cause[] {
  const was = numberAt(before, "activeDeadlineSeconds");
  const is = numberAt(next, "activeDeadlineSeconds");
  const field = "spec.activeDeadlineSeconds";
  if (was === undefined) return [];
  if (is === undefined) return [invalidValue(field, '"null"', "must not update from a positive integer to nil value")];
  return is > was ? [invalidValue(field, String(is), "must be less than or equal to previous value")] : [];
}

/** A real server's message goes on with a difference of the two specs, which nobody should read by program. */
function specProblems(next: JsonObject, before: JsonObject): readonly Cause[] {
  return isDeepStrictEqual(fixedPart(next, before), fixedPart(before, before)) ? [] : [forbiddenValue("spec", mayChange)];
}

function fixedPart(spec: JsonObject, before: JsonObject): JsonObject {
  const { activeDeadlineSeconds: _deadline, tolerations, containers, initContainers, ...rest } = spec;
  const kept = listAt(before, "tolerations");
  const tolerated = listAt({ tolerations }, "tolerations");
  return {
    ...rest,
    containers: imageless(containers),
    initContainers: imageless(initContainers),
    tolerations: kept.every((one) => tolerated.some((other) => isDeepStrictEqual(one, other))) ? kept : tolerated,
  };
}

function imageless(containers: Json): Json {
  if (!Array.isArray(containers)) return [];
  return containers.map((container: Json) => (isJsonObject(container) ? { ...container, image: "" } : container));
}
