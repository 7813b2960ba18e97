import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Cluster as ServerConfig } from "@kubernetes/client-node";
import { type Api, createApi } from "./api.ts";
import { createExec, type OpenExec } from "./exec-socket.ts";

export interface ClusterSettings {
  /** A kubeconfig file; undefined: what `KUBECONFIG` names, then `~/.kube/config`, then the pod that this process runs in. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig; undefined: its current one. */
  readonly context?: string;
  /** Where the pods are; undefined: the context's, or this process's own, or `default`. */
  readonly namespace?: string;
}

/** A connection to an API server. */
export interface Cluster {
  readonly namespace: string;
  readonly api: Api;
  readonly openExec: OpenExec;
  /** The same for all who trust the same certificate authority, or else talk to the same address. */
  readonly fingerprint: string;
  readonly close: () => Promise<void>;
}

/** Reads the configuration; nothing is sent yet. The client takes half a second to load, so only who needs it loads it. */
export async function openCluster(settings: ClusterSettings): Promise<Cluster> {
  const client = await import("@kubernetes/client-node");
  const config = new client.KubeConfig();
  if (settings.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(settings.kubeconfig);
  if (settings.context !== undefined) {
    if (!config.getContextObject(settings.context)) {
      throw new Error(`OSTLER_KUBERNETES_CONTEXT: the kubeconfig has no context ${settings.context}`);
    }
    config.setCurrentContext(settings.context);
  }
  const server = config.getCurrentCluster();
  // What the client makes up where it has found nothing.
  if (!server || (server.name === "cluster" && server.server === "http://localhost:8080")) {
    throw new Error("no Kubernetes configuration: set OSTLER_KUBERNETES_KUBECONFIG or KUBECONFIG, or run in a pod with a service account");
  }
  const api = createApi(client, config);
  return {
    namespace: settings.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    api,
    openExec: createExec(new client.Exec(config).handler),
    fingerprint: createHash("sha256").update(authorityOf(server)).digest("hex"),
    close: api.close,
  };
}

/** A kubeconfig holds the certificates themselves, a pod has a file of them. */
function authorityOf({ caFile, caData, server }: ServerConfig): string | Buffer {
  if (caData) return Buffer.from(caData, "base64");
  return caFile ? readFileSync(caFile) : server;
}
