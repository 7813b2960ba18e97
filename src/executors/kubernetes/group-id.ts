import { createHash } from "node:crypto";
import { z } from "zod";
import { isStatus } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { insist } from "./patience.ts";

const Namespace = z.object({ metadata: z.object({ uid: z.string() }) });
const limitMs = 60_000;

/**
 * The same for all executors whose pods are in this namespace of this cluster: by the namespace's uid, which is unique among
 * clusters; where it may not be read, by the server's certificate authority (or address) and the namespace's name.
 */
export async function groupIdOf({ api, namespace, fingerprint }: Cluster, signal: AbortSignal): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}`;
  const identity = await insist(() => api.call({ method: "GET", path }, signal), limitMs, signal)
    .then((raw) => Namespace.parse(raw).metadata.uid)
    .catch((error: unknown) => {
      if (isStatus(error, 401, 403)) return `${fingerprint}/${namespace}`;
      if (isStatus(error, 404))
        throw new Error(`the cluster has no namespace ${namespace} (OSTLER_KUBERNETES_NAMESPACE)`, { cause: error });
      throw error;
    });
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 12);
  return `kubernetes-${namespace.slice(0, 32)}-${hash}`;
}
