/** What a service account of an executor must be allowed; `optional` parts make do without, as `without` says. */
export interface Permission {
  /** The core API group has all of them. */
  readonly resource: "pods" | "pods/exec" | "pods/log" | "secrets" | "namespaces" | "nodes";
  readonly verbs: readonly ("get" | "list" | "watch" | "create" | "delete")[];
  /** `namespace`: a Role in the pods' namespace is enough. */
  readonly scope: "namespace" | "cluster";
  readonly why: string;
  readonly without?: string;
}

/** Everything that the driver asks of the API server. The manifests and `ostler doctor` are held to this list. */
export const permissions: readonly Permission[] = [
  { resource: "pods", verbs: ["create", "get", "list", "watch", "delete"], scope: "namespace", why: "a pod for every attempt" },
  // A WebSocket begins with GET; servers from 1.35 on ask for create as well.
  { resource: "pods/exec", verbs: ["get", "create"], scope: "namespace", why: "steps are started, followed and stopped by exec" },
  { resource: "pods/log", verbs: ["get"], scope: "namespace", why: "what services print" },
  { resource: "secrets", verbs: ["create"], scope: "namespace", why: "registry logins, and the environment of services" },
  {
    resource: "namespaces",
    verbs: ["get"],
    scope: "namespace",
    why: "the uid of its own namespace tells which executors see the same pods",
    without: "the executor group is derived from the server's certificate authority: set OSTLER_EXECUTOR_GROUP",
  },
  {
    resource: "nodes",
    verbs: ["list", "watch"],
    scope: "cluster",
    why: "the architectures that tasks can ask for",
    without: "amd64 is assumed: set OSTLER_EXECUTOR_ARCHS",
  },
];
