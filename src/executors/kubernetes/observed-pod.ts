import { z } from "zod";

/** The server leaves fields out, or sends them as null. */
const text = z.string().nullish();

const ContainerStatus = z.object({
  name: z.string(),
  image: text,
  ready: z.boolean().nullish(),
  started: z.boolean().nullish(),
  restartCount: z.number().nullish(),
  state: z
    .object({
      waiting: z.object({ reason: text, message: text }).nullish(),
      running: z.object({ startedAt: text }).nullish(),
      terminated: z.object({ exitCode: z.number(), reason: text, message: text }).nullish(),
    })
    .nullish(),
  lastState: z.object({ terminated: z.object({ exitCode: z.number(), reason: text, message: text }).nullish() }).nullish(),
});
export type ContainerStatus = z.infer<typeof ContainerStatus>;

const Probe = z.object({ periodSeconds: z.number().nullish(), failureThreshold: z.number().nullish() });

/** What the driver reads of a pod; everything else is dropped, as thousands of them are kept. */
export const ObservedPod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    deletionTimestamp: text,
  }),
  spec: z
    .object({
      nodeName: text,
      nodeSelector: z.record(z.string(), z.string()).nullish(),
      containers: z.array(z.object({ name: z.string(), readinessProbe: Probe.nullish() })).nullish(),
    })
    .nullish(),
  status: z
    .object({
      phase: text,
      reason: text,
      message: text,
      conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: text, message: text })).nullish(),
      initContainerStatuses: z.array(ContainerStatus).nullish(),
      containerStatuses: z.array(ContainerStatus).nullish(),
    })
    .nullish(),
});
export type ObservedPod = z.infer<typeof ObservedPod>;
