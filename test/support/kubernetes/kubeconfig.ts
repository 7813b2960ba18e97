/** A kubeconfig (as JSON, which YAML readers take) for a token. */
export function kubeconfigFor(access: {
  readonly url: string;
  readonly caData: string;
  readonly token: string;
  readonly namespace: string;
}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "simulated", cluster: { server: access.url, "certificate-authority-data": access.caData } }],
    users: [{ name: "user", user: { token: access.token } }],
    contexts: [{ name: "simulated", context: { cluster: "simulated", user: "user", namespace: access.namespace } }],
    "current-context": "simulated",
  });
}
