import type { Container, Definition, TaskDefinition } from "./definition.ts";
import type { Environment, Value } from "./environment.ts";
import type { Step } from "./steps/registry.ts";

type Translate = (secret: string) => string;

/** The definition with every secret value put through `translate` (seal, open, mask). Everything else is shared, nothing is altered. */
export function mapSecrets(definition: Definition, translate: Translate): Definition {
  const { environment, staticEnvironment, registries } = definition;
  return {
    ...definition,
    ...(environment && { environment: mapEnvironment(environment, translate) }),
    ...(staticEnvironment && { staticEnvironment: mapEnvironment(staticEnvironment, translate) }),
    ...(registries && {
      registries: mapEntries(registries, (registry) => ({ ...registry, password: mapValue(registry.password, translate) })),
    }),
    tasks: mapEntries(definition.tasks, (task) => mapTaskSecrets(task, translate)),
  };
}

/** As `mapSecrets`, for one task: an executor opens only what it is about to run. */
export function mapTaskSecrets(task: TaskDefinition, translate: Translate): TaskDefinition {
  return {
    ...task,
    ...(task.environment && { environment: mapEnvironment(task.environment, translate) }),
    runtime: { ...task.runtime, containers: task.runtime.containers.map((container) => mapContainer(container, translate)) },
    ...(task.steps && { steps: task.steps.map((step) => mapStep(step, translate)) }),
  };
}

export function mapEnvironment(environment: Environment, translate: Translate): Environment {
  return mapEntries(environment, (value) => mapValue(value, translate));
}

export function mapValue(value: Value, translate: Translate): Value {
  return typeof value === "string" ? value : { secret: translate(value.secret) };
}

function mapContainer(container: Container, translate: Translate): Container {
  return container.environment ? { ...container, environment: mapEnvironment(container.environment, translate) } : container;
}

function mapStep(step: Step, translate: Translate): Step {
  return step.type === "run" && step.environment ? { ...step, environment: mapEnvironment(step.environment, translate) } : step;
}

function mapEntries<Before, After>(record: Readonly<Record<string, Before>>, map: (value: Before) => After): Record<string, After> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
