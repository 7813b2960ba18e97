import { z } from "zod";
import type { JsonObject } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";

const Names = z.array(z.string());
const Quantities = z.record(z.string(), z.union([z.string(), z.number()]).transform(String));

const Probe = z.looseObject({
  exec: z.looseObject({ command: Names.optional() }).optional(),
  tcpSocket: z.looseObject({ port: z.union([z.number(), z.string()]) }).optional(),
  initialDelaySeconds: z.number().optional(),
  periodSeconds: z.number().default(10),
  timeoutSeconds: z.number().default(1),
  successThreshold: z.number().default(1),
  failureThreshold: z.number().default(3),
});
export type Probe = z.infer<typeof Probe>;

const Env = z.looseObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .looseObject({
      fieldRef: z.looseObject({ fieldPath: z.string() }).optional(),
      secretKeyRef: z.looseObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() }).optional(),
      configMapKeyRef: z.looseObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() }).optional(),
    })
    .optional(),
});

const SecurityContext = z.looseObject({
  runAsUser: z.number().optional(),
  runAsGroup: z.number().optional(),
  runAsNonRoot: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
});

const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
  command: Names.optional(),
  args: Names.optional(),
  workingDir: z.string().optional(),
  env: z.array(Env).default([]),
  envFrom: z.array(z.looseObject({ secretRef: z.looseObject({ name: z.string() }).optional() })).default([]),
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional(), readOnly: z.boolean().optional() }))
    .default([]),
  resources: z.looseObject({ requests: Quantities.optional(), limits: Quantities.optional() }).default({}),
  restartPolicy: z.literal("Always").optional(),
  securityContext: SecurityContext.default({}),
  lifecycle: z.looseObject({ postStart: z.looseObject({ exec: z.looseObject({ command: Names }).optional() }).optional() }).optional(),
  startupProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
  terminationMessagePath: z.string().default("/dev/termination-log"),
  terminationMessagePolicy: z.enum(["File", "FallbackToLogsOnError"]).default("File"),
});
export type Container = z.infer<typeof Container>;

const Toleration = z.looseObject({
  key: z.string().optional(),
  operator: z.string().optional(),
  value: z.string().optional(),
  effect: z.string().optional(),
});

/** What the scheduler and the node agent read of a pod; the rest is kept but has no effect. */
export const PodSpec = z.looseObject({
  containers: z.array(Container),
  initContainers: z.array(Container).default([]),
  volumes: z
    .array(
      z.looseObject({
        name: z.string(),
        emptyDir: z
          .looseObject({ medium: z.string().optional(), sizeLimit: z.union([z.string(), z.number()]).transform(String).optional() })
          .optional(),
        secret: z.looseObject({ secretName: z.string(), optional: z.boolean().optional() }).optional(),
        configMap: z.looseObject({ name: z.string(), optional: z.boolean().optional() }).optional(),
      }),
    )
    .default([]),
  restartPolicy: z.enum(["Always", "OnFailure", "Never"]).default("Always"),
  terminationGracePeriodSeconds: z.number().default(30),
  activeDeadlineSeconds: z.number().optional(),
  nodeName: z.string().optional(),
  nodeSelector: z.record(z.string(), z.string()).default({}),
  tolerations: z.array(Toleration).default([]),
  imagePullSecrets: z.array(z.looseObject({ name: z.string() })).default([]),
  securityContext: SecurityContext.default({}),
});
export type PodSpec = z.infer<typeof PodSpec>;

/** Does it keep running beside the ordinary containers and never keep the pod from ending? */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

const parsed = new WeakMap<JsonObject, PodSpec>();

/** The spec of a pod, parsed once per object. */
export function podSpecOf(pod: KubeObject): PodSpec {
  const raw = pod.spec ?? {};
  const known = parsed.get(raw);
  if (known !== undefined) return known;
  const spec = PodSpec.parse(raw);
  parsed.set(raw, spec);
  return spec;
}
