import type { TaskNode } from "../runs/graph.ts";
import type { PodSpec } from "./driver.ts";
import type { RunPlan } from "./run-plan.ts";

/** Whose pods an executor's are. */
export interface PodIdentity {
  readonly installation: string;
  readonly executor: string;
  readonly incarnation: string;
  readonly group: string;
  readonly fenceMs: number;
}

/** On top of the attempt's time-out and grace: the executor should always be the one that ends it. */
const deadlineMarginMs = 60_000;

export interface PodJob {
  readonly assignment: string;
  readonly attempt: number;
  readonly plan: RunPlan;
  readonly node: TaskNode;
  readonly startBy: number;
}

/** The pod of an attempt. `hostNow` and `startBy` are ms by this host's clock. */
export function podSpec(
  identity: PodIdentity,
  job: PodJob,
  facts: { readonly environments: readonly Readonly<Record<string, string>>[]; readonly hostNow: number },
): PodSpec {
  const { node } = job;
  const { installation, executor, incarnation, group, fenceMs } = identity;
  return {
    id: job.assignment,
    owner: { installation, executor, incarnation, group, runId: job.plan.runId, task: node.name, attempt: job.attempt },
    arch: node.definition.runtime.arch,
    containers: node.definition.runtime.containers.map(({ image, user, privileged = false, entrypoint }, index) => ({
      image,
      privileged,
      environment: facts.environments[index] ?? {},
      ...(user !== undefined && { user }),
      ...(entrypoint !== undefined && { entrypoint }),
    })),
    deadlineAt: facts.hostNow + node.timeoutMs + node.stopGraceMs + deadlineMarginMs,
    startBy: job.startBy,
    fenceMs,
  };
}
