import { KubeConfig } from "@kubernetes/client-node";
import { until } from "../until.ts";
import { type ClusterUnderTest, clusterAt } from "./cluster-under-test.ts";
import { api } from "./test-pods.ts";

/** The cluster of a kubeconfig, for an administrator alone, with a namespace of that name made and ready for pods. */
export async function realCluster(kubeconfig: string, namespace: string): Promise<ClusterUnderTest> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const url = config.getCurrentCluster()?.server ?? "";
  const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const pem = (value: unknown) => (value === undefined || value === null ? undefined : String(value));
  const [ca, cert, key] = [pem(options.ca), pem(options.cert), pem(options.key)];
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
  };
  const headers = Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]));
  const cluster = clusterAt({ url, tls, headers: () => headers }, namespace);
  await api(cluster, "POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  await until("the namespace has its account", async () => {
    const account = await api(cluster, "GET", `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
    return account["kind"] === "ServiceAccount";
  });
  return cluster;
}
