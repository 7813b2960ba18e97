import type { V1Pod, V1Toleration } from "@kubernetes/client-node";
import { z } from "zod";
import { PodError, type PodSpec } from "../driver.ts";
import { helperBefore, helperBeside, mainOf, serviceOf } from "./pod-containers.ts";
import { annotationsOf, labelsOf } from "./pod-labels.ts";
import { hasLogins } from "./pod-secret.ts";
import { volumesOf } from "./pod-volumes.ts";

export interface ManifestFacts {
  readonly helperImage: string;
  readonly helperOrder: HelperOrder;
  /** Whether the server runs init containers that go on beside the others (1.29 and later). */
  readonly nativeSidecars: boolean;
  /** ms, this host's clock */
  readonly now: number;
}

/** Services that do not end when asked to delay the end of a pod so long, when nobody deletes it. */
const graceSeconds = 5;

/**
 * How the helper gets into a pod. `before`: by an init container, which every server runs to its end first; that costs one look of
 * the node agent at its containers, about a second. `beside`: by the first container, whose hook node agents wait for before they
 * start the next: they all do, but nobody has promised it.
 */
export type HelperOrder = "before" | "beside";

/** The pod of an attempt. Throws PodError for what Kubernetes cannot do. */
export function podManifest(spec: PodSpec, facts: ManifestFacts): V1Pod {
  const { id, owner, containers, arch, wishes, deadlineAt } = spec;
  const services = containers.slice(1).map((_, index) => serviceOf(spec, index + 1, facts.nativeSidecars));
  const beside = facts.nativeSidecars ? { init: services, ordinary: [] } : { init: [], ordinary: services };
  const [main] = containers;
  if (!main) throw new PodError("config", "a task needs a container");
  const nodeSelector = { ...wishes?.nodeSelector, ...(arch !== undefined && { "kubernetes.io/arch": arch }) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: id, labels: { ...labelsOf(owner) }, annotations: { ...annotationsOf(spec, facts.now) } },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: Math.max(1, Math.ceil((deadlineAt - facts.now) / 1_000)),
      terminationGracePeriodSeconds: graceSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      initContainers: [...(facts.helperOrder === "before" ? [helperBefore(spec, facts.helperImage)] : []), ...beside.init],
      containers: [
        ...(facts.helperOrder === "beside" ? [helperBeside(spec, facts.helperImage)] : []),
        mainOf(spec, main),
        ...beside.ordinary,
      ],
      volumes: volumesOf(spec),
      ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
      ...(wishes && wishes.tolerations.length > 0 && { tolerations: wishes.tolerations.map(tolerationOf) }),
      ...(wishes?.serviceAccount !== undefined && { serviceAccountName: wishes.serviceAccount }),
      ...(hasLogins(spec) && { imagePullSecrets: [{ name: id }] }),
    },
  };
}

const Toleration = z.object({
  key: z.string().optional(),
  operator: z.string().optional(),
  value: z.coerce.string().optional(),
  effect: z.string().optional(),
  tolerationSeconds: z.coerce.number().int().optional(),
});

function tolerationOf(wish: Readonly<Record<string, string | number | boolean>>): V1Toleration {
  const { data, error } = Toleration.strict().safeParse(wish);
  if (!data) throw new PodError("config", `not a toleration: ${JSON.stringify(wish)}: ${error.issues[0]?.message}`);
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
