import { createHash } from "node:crypto";
import { z } from "zod";
import type { PodEntry, PodOwner, PodSpec } from "../driver.ts";
import type { ObservedPod } from "./observed-pod.ts";

const recordAnnotation = "ostler.dev/pod";
const installationLabel = "ostler.dev/installation";
const executorLabel = "ostler.dev/executor";

const Owner = z.object({
  installation: z.string(),
  executor: z.string(),
  incarnation: z.string(),
  group: z.string(),
  runId: z.string(),
  task: z.string(),
  attempt: z.number(),
});

/** What a pod says of itself. Times in ms by the clock of the executor that created it. */
const PodRecord = z.object({
  version: z.literal(1),
  id: z.string(),
  owner: Owner,
  createdAt: z.number(),
  deadlineAt: z.number(),
  fenceMs: z.number(),
  /** Whom the main container runs as, if its task says so. */
  user: z.string().optional(),
});
export type PodRecord = z.infer<typeof PodRecord>;

/** Labels are for selecting: what a label cannot hold is there as a hash, and in full in the annotation. */
export function labelsOf({ installation, executor, runId, task }: PodOwner): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/managed-by": "ostler",
    [installationLabel]: labelValue(installation),
    [executorLabel]: labelValue(executor),
    "ostler.dev/run": labelValue(runId),
    "ostler.dev/task": labelValue(task),
  };
}

/** Nobody who consolidates nodes shall take a running task for something that can be moved. */
const doNotDisturb = { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true" };

export function annotationsOf(spec: PodSpec, createdAt: number): Readonly<Record<string, string>> {
  const { id, owner, deadlineAt, fenceMs } = spec;
  const user = spec.containers[0]?.user;
  const record: PodRecord = { version: 1, id, owner, createdAt, deadlineAt, fenceMs, ...(user !== undefined && { user }) };
  return { ...doNotDisturb, [recordAnnotation]: JSON.stringify(record) };
}

/** Undefined for pods that ostler has not made. */
export function recordOf({ metadata }: ObservedPod): PodRecord | undefined {
  const text = metadata.annotations?.[recordAnnotation];
  if (text === undefined) return undefined;
  try {
    return PodRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function entryOf(pod: ObservedPod): PodEntry | undefined {
  const record = recordOf(pod);
  return record && { id: record.id, owner: record.owner, createdAt: record.createdAt };
}

export function selectInstallation(installation: string): string {
  return `${installationLabel}=${labelValue(installation)}`;
}

export function selectExecutor({ installation, executor }: Pick<PodOwner, "installation" | "executor">): string {
  return `${selectInstallation(installation)},${executorLabel}=${labelValue(executor)}`;
}

const labelPattern = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** The text itself where a label can hold it, else its readable part and a hash. */
function labelValue(text: string): string {
  if (labelPattern.test(text)) return text;
  const readable = text
    .replace(/[^A-Za-z0-9_.-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 40);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return readable === "" ? hash : `${readable}-${hash}`;
}
