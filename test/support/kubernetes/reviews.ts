import { allows, type User } from "./access.ts";
import { isJsonObject, type JsonObject, objectAt, textAt } from "./json.ts";
import { timestamp } from "./kube-object.ts";
import { invalid, invalidValue } from "./status-error.ts";

/** Answers "may I?": allowed, with the reason where a role says so. Throws 422. */
export function reviewOwnAccess(user: User, body: JsonObject): JsonObject {
  const spec = objectAt(body, "spec");
  const attributes = spec["resourceAttributes"];
  if (!isJsonObject(attributes)) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw invalid({ kind: "", group: "authorization.k8s.io" }, "", [invalidValue("spec.resourceAttributes", '"null"', why)]);
  }
  const subresource = textAt(attributes, "subresource");
  const resource = textAt(attributes, "resource") ?? "";
  const allowed = allows(user, {
    verb: textAt(attributes, "verb") ?? "",
    group: textAt(attributes, "group") ?? "",
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace: textAt(attributes, "namespace"),
    name: textAt(attributes, "name"),
  });
  return {
    kind: "SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: { creationTimestamp: null },
    spec,
    status: { allowed, ...reasonOf(user, allowed) },
  };
}

function reasonOf({ rights, name }: User, allowed: boolean): JsonObject {
  if (!allowed || rights.type !== "rules") return {};
  const [, , namespace = "", account = ""] = name.split(":");
  const role = rights.role;
  return {
    reason: `RBAC: allowed by RoleBinding "${role}/${rights.namespace}" of Role "${role}" to ServiceAccount "${account}/${namespace}"`,
  };
}

/** Answers "who am I?". */
export function reviewSelf(user: User): JsonObject {
  return {
    kind: "SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { creationTimestamp: timestamp(Date.now()) },
    status: { userInfo: { username: user.name, groups: ["system:authenticated"] } },
  };
}
