import { parseCpu } from "../runs/cpu.ts";
import type { Container, TaskDefinition } from "../runs/definition.ts";
import { durationMs } from "../runs/duration.ts";
import type { TaskNode } from "../runs/graph.ts";
import { parseSize } from "../size.ts";
import type { AttemptEnvironment } from "./attempt-environment.ts";
import type { PodContainer, PodSpec, PodWishes } from "./driver.ts";
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
  facts: { readonly environment: Pick<AttemptEnvironment, "containers" | "registries">; readonly hostNow: number },
): PodSpec {
  const { node } = job;
  const { installation, executor, incarnation, group, fenceMs } = identity;
  return {
    id: job.assignment,
    owner: { installation, executor, incarnation, group, runId: job.plan.runId, task: node.name, attempt: job.attempt },
    arch: node.definition.runtime.arch,
    containers: node.definition.runtime.containers.map((container, index) =>
      podContainer(container, facts.environment.containers[index] ?? {}),
    ),
    registries: facts.environment.registries,
    ...(node.definition.pod && { wishes: podWishes(node.definition.pod) }),
    deadlineAt: facts.hostNow + node.timeoutMs + node.stopGraceMs + deadlineMarginMs,
    startBy: job.startBy,
    fenceMs,
  };
}

const readinessIntervalMs = 1_000;
const readinessTimeoutMs = 60_000;

function podContainer(container: Container, environment: PodContainer["environment"]): PodContainer {
  const { image, user, privileged = false, entrypoint, volumes = [], resources, readiness } = container;
  const cpuMillis = resources?.cpu === undefined ? undefined : parseCpu(resources.cpu);
  const memoryBytes = resources?.memory === undefined ? undefined : parseSize(resources.memory);
  return {
    image,
    privileged,
    environment,
    tmpfs: volumes.map(({ path, tmpfs }) => {
      const sizeBytes = tmpfs.size === undefined ? undefined : parseSize(tmpfs.size);
      return { path, ...(sizeBytes !== undefined && { sizeBytes }) };
    }),
    ...(user !== undefined && { user }),
    ...(entrypoint !== undefined && { entrypoint }),
    ...(cpuMillis !== undefined && { cpuMillis }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(readiness && {
      readiness: {
        command: readiness.command,
        intervalMs: durationMs(readiness.interval, readinessIntervalMs),
        timeoutMs: durationMs(readiness.timeout, readinessTimeoutMs),
      },
    }),
  };
}

function podWishes({ nodeSelector = {}, tolerations = [], serviceAccount }: NonNullable<TaskDefinition["pod"]>): PodWishes {
  return { nodeSelector, tolerations, ...(serviceAccount !== undefined && { serviceAccount }) };
}
