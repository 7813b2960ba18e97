import { StatusError } from "./status-error.ts";

/** What a rule of a Role says: verbs on resources ("pods", "pods/exec", "*") of groups. */
export interface AccessRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Somebody who may call the API. */
export interface User {
  readonly name: string;
  readonly rights: Rights;
}

/** Everything, or rules within one namespace, and rules for the whole cluster. */
export type Rights =
  | { readonly type: "everything" }
  | { readonly type: "nothing" }
  | {
      readonly type: "rules";
      readonly namespace: string;
      readonly role: string;
      readonly rules: readonly AccessRule[];
      readonly clusterRules: readonly AccessRule[];
    };

/** What somebody wants to do. */
export interface Attempt {
  readonly verb: string;
  readonly group: string;
  /** With the subresource: "pods/log". */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export const anonymous: User = { name: "system:anonymous", rights: { type: "nothing" } };

/** May the user do it? */
export function allows({ rights }: User, attempt: Attempt): boolean {
  if (rights.type !== "rules") return rights.type === "everything";
  const own = attempt.namespace === rights.namespace ? rights.rules : [];
  return [...own, ...rights.clusterRules].some((rule) => covers(rule, attempt));
}

function covers({ verbs, apiGroups = [""], resources, resourceNames }: AccessRule, { verb, group, resource, name }: Attempt): boolean {
  const among = (list: readonly string[], one: string) => list.includes("*") || list.includes(one);
  const named = resourceNames === undefined || (name !== undefined && resourceNames.includes(name));
  return among(verbs, verb) && among(apiGroups, group) && among(resources, resource) && named;
}

/** Throws 403 in the words of a real server. */
export function authorize(user: User, attempt: Attempt): void {
  if (allows(user, attempt)) return;
  const { verb, group, resource, namespace, name } = attempt;
  const plural = resource.split("/")[0] ?? "";
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const what = name === undefined ? plural : `${plural} "${name}"`;
  throw new StatusError({
    code: 403,
    reason: "Forbidden",
    message: `${what} is forbidden: User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
    details: { name, kind: plural },
  });
}

const open = ["/version", "/healthz", "/livez", "/readyz"];

/** The same for a path that is no resource. */
export function authorizePath(user: User, path: string): void {
  if (user.rights.type !== "nothing" || open.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return;
  const message = `forbidden: User "${user.name}" cannot get path "${path}"`;
  throw new StatusError({ code: 403, reason: "Forbidden", message, details: {} });
}
