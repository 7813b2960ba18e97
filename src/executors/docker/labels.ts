import { z } from "zod";
import type { PodEntry, PodSpec } from "../driver.ts";

/** What a pod's containers carry: all that a successor must know of the pod. */
export const label = {
  pod: "ostler.pod",
  /** `main`, or the service's position from 1. */
  container: "ostler.container",
  installation: "ostler.installation",
} as const;

const Labels = z.object({
  "ostler.pod": z.string(),
  "ostler.installation": z.string(),
  "ostler.executor": z.string(),
  "ostler.incarnation": z.string(),
  "ostler.group": z.string(),
  "ostler.run": z.string(),
  "ostler.task": z.string(),
  "ostler.attempt": z.coerce.number(),
  "ostler.created-at": z.coerce.number(),
  "ostler.deadline": z.coerce.number(),
  "ostler.fence": z.coerce.number(),
  "ostler.user": z.string(),
});

/** What the labels say; times in ms by the clock of the executor that made the pod. */
export interface PodFacts extends PodEntry {
  readonly deadlineAt: number;
  readonly fenceMs: number;
  /** Whom steps run as if they name none. */
  readonly user: string;
}

export function writeLabels({ id, owner, createdAt, deadlineAt, fenceMs, user }: PodFacts): Record<string, string> {
  return {
    "ostler.pod": id,
    "ostler.installation": owner.installation,
    "ostler.executor": owner.executor,
    "ostler.incarnation": owner.incarnation,
    "ostler.group": owner.group,
    "ostler.run": owner.runId,
    "ostler.task": owner.task,
    "ostler.attempt": String(owner.attempt),
    "ostler.created-at": String(createdAt),
    "ostler.deadline": String(deadlineAt),
    "ostler.fence": String(fenceMs),
    "ostler.user": user,
  };
}

/** Throws if these are not a pod's labels. */
export function readLabels(labels: Readonly<Record<string, string>>): PodFacts {
  const read = Labels.parse(labels);
  return {
    id: read["ostler.pod"],
    createdAt: read["ostler.created-at"],
    deadlineAt: read["ostler.deadline"],
    fenceMs: read["ostler.fence"],
    user: read["ostler.user"],
    owner: {
      installation: read["ostler.installation"],
      executor: read["ostler.executor"],
      incarnation: read["ostler.incarnation"],
      group: read["ostler.group"],
      runId: read["ostler.run"],
      task: read["ostler.task"],
      attempt: read["ostler.attempt"],
    },
  };
}

export function factsOf(
  pod: Pick<PodSpec, "id" | "owner" | "deadlineAt" | "fenceMs">,
  more: { readonly createdAt: number; readonly user: string },
): PodFacts {
  const { id, owner, deadlineAt, fenceMs } = pod;
  return { id, owner, deadlineAt, fenceMs, ...more };
}

/** The name of a pod's container: there is one of each, however often it is created. */
export function containerName(podId: string, index: number): string {
  return index === 0 ? `ostler-${podId}` : `ostler-${podId}-service-${index}`;
}
