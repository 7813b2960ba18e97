import type { Environment, Value } from "../runs/environment.ts";
import type { TaskNode } from "../runs/graph.ts";
import type { RunPlan } from "./run-plan.ts";

/** Opens a sealed value; throws if it was sealed with another key. */
export type Open = (sealed: string) => string;

/** A task's environment, unsealed: what every step gets, and what must be masked in its logs. */
export interface AttemptEnvironment {
  /** Container < task < `staticEnvironment` < `environment`; the driver adds what the image sets below it. */
  readonly variables: Readonly<Record<string, string>>;
  /** The main container's and the services' own, for the pod. */
  readonly containers: readonly Readonly<Record<string, string>>[];
  /** By step: only `run` steps have one. */
  readonly steps: readonly Readonly<Record<string, string>>[];
  /** By the registry's host. */
  readonly registries: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
  /** Every secret that a step or a container can see. */
  readonly secrets: readonly string[];
}

export function attemptEnvironment(plan: RunPlan, node: TaskNode, open: Open): AttemptEnvironment {
  const { definition } = plan.stored;
  const task = node.definition;
  const secrets: string[] = [];
  const clear = (value: Value): string => {
    if (typeof value === "string") return value;
    const text = open(value.secret);
    secrets.push(text);
    return text;
  };
  const opened = (environment: Environment = {}): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, clear(value)]));

  const containers = task.runtime.containers.map((container) => opened(container.environment));
  const registries = Object.entries(definition.registries ?? {}).map(
    ([host, { username, password }]) => [host, { username, password: clear(password) }] as const,
  );
  return {
    containers,
    registries: Object.fromEntries(registries),
    variables: {
      ...containers[0],
      ...opened(task.environment),
      ...opened(definition.staticEnvironment),
      ...opened(definition.environment),
    },
    steps: (task.steps ?? []).map((step) => (step.type === "run" ? opened(step.environment) : {})),
    secrets,
  };
}

export interface SystemFacts {
  readonly plan: RunPlan;
  readonly node: TaskNode;
  readonly attempt: number;
  readonly arch: string;
  readonly outputFile: string;
  /** `OSTLER_OUTPUT_<TASK>_<KEY>` of the task's ancestors. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** What the system sets for a step: above everything but the step's own environment. */
export function systemVariables(facts: SystemFacts, step: number): Readonly<Record<string, string>> {
  const { plan, node } = facts;
  return {
    CI: "true",
    ...facts.inputs,
    OSTLER_RUN_ID: plan.runId,
    OSTLER_RUN_NUMBER: plan.number,
    OSTLER_RUN_GROUP: plan.stored.group,
    OSTLER_TASK: node.name,
    OSTLER_ATTEMPT: String(facts.attempt),
    OSTLER_STEP: String(step),
    OSTLER_ARCH: facts.arch,
    OSTLER_OUTPUT: facts.outputFile,
  };
}
