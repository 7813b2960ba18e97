import { checkEnvironment } from "./check-environment.ts";
import { checkSize } from "./check-size.ts";
import { isCondition } from "./conditions.ts";
import { checkCpu } from "./cpu.ts";
import { Condition, type Container, type TaskDefinition } from "./definition.ts";
import { checkDuration } from "./duration.ts";
import type { Path } from "./location.ts";
import { checkStep } from "./steps/registry.ts";
import { suggest } from "./unknown-field.ts";

const archs: readonly string[] = ["amd64", "arm64", "arm", "386"];
const taskNamePattern = /^[A-Za-z0-9][A-Za-z0-9 _.()-]{0,99}$/;
const poolPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
const labelNamePattern = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}$/;
const labelValuePattern = /^[A-Za-z0-9_./:-]{0,63}$/;

/** Suggesting a name costs a look at every task, so only this many are looked at. */
const maxNamesToSuggestFrom = 200;

export interface CheckOptions {
  /** Whether the administrator lets tasks say what their pods are like (`pod:`). */
  readonly allowPod?: boolean;
}

export interface TaskCheck {
  readonly name: string;
  /** The names of all tasks. */
  readonly known: ReadonlySet<string>;
  readonly options: CheckOptions;
  /** `path` is relative to the task. */
  readonly report: (path: Path, message: string) => void;
}

/** Reports what is wrong with one task by itself, and with the parents it names. */
export function checkTask(task: TaskDefinition, check: TaskCheck): void {
  const { name, report } = check;
  if (!taskNamePattern.test(name))
    report([], "is not a task name: 1 to 100 letters, digits, spaces or _.()-, beginning with a letter or digit");
  if (task.pool !== undefined && !poolPattern.test(task.pool)) report(["pool"], `"${task.pool}" is not the name of a pool`);
  if (task.pod && !check.options.allowPod) report(["pod"], "is not allowed by the administrator");
  checkRuntime(task, check);
  checkLabels(task, check);
  checkDepends(task, check);
  checkDurations(task, check);
  checkEnvironment(task.environment, (variable, message) => report(["environment", variable], message));
  for (const [index, step] of (task.steps ?? []).entries()) {
    checkStep(step, (field, message) => report(["steps", index, ...field], message));
  }
}

function checkRuntime(task: TaskDefinition, { report }: TaskCheck): void {
  const { arch, containers } = task.runtime;
  if (arch !== undefined && !archs.includes(arch)) report(["runtime", "arch"], `"${arch}" is not one of ${archs.join(", ")}`);
  if (containers.length === 0) report(["runtime", "containers"], "a task needs a container: give an image");
  for (const [index, container] of containers.entries()) {
    checkContainer(container, (field, message) => report(["runtime", "containers", index, ...field], message));
    if (index === 0 && container.readiness)
      report(["runtime", "containers", 0, "readiness"], "only services (containers after the first) have one");
  }
}

function checkContainer(container: Container, report: TaskCheck["report"]): void {
  if (container.image.trim() === "") report(["image"], "is empty");
  checkEnvironment(container.environment, (variable, message) => report(["environment", variable], message));
  checkCpu(container.resources?.cpu, (message) => report(["resources", "cpu"], message));
  checkSize(container.resources?.memory, (message) => report(["resources", "memory"], message));
  checkDuration(container.readiness?.interval, (message) => report(["readiness", "interval"], message));
  checkDuration(container.readiness?.timeout, (message) => report(["readiness", "timeout"], message));
  if (container.readiness?.command.length === 0) report(["readiness", "command"], "is empty");
  for (const [index, volume] of (container.volumes ?? []).entries()) {
    if (!volume.path.startsWith("/")) report(["volumes", index, "path"], `"${volume.path}" is not an absolute path`);
    checkSize(volume.tmpfs.size, (message) => report(["volumes", index, "tmpfs", "size"], message));
  }
}

function checkLabels(task: TaskDefinition, { report }: TaskCheck): void {
  for (const [name, value] of Object.entries(task.labels ?? {})) {
    if (!labelNamePattern.test(name)) report(["labels", name], "is not the name of a label");
    if (!labelValuePattern.test(value)) report(["labels", name], `"${value}" is not the value of a label`);
  }
}

function checkDepends(task: TaskDefinition, { known, report }: TaskCheck): void {
  for (const [parent, conditions] of Object.entries(task.depends ?? {})) {
    if (!known.has(parent)) report(["depends", parent], `no such task${suggest(parent, [...known].slice(0, maxNamesToSuggestFrom))}`);
    for (const condition of conditions) {
      if (!isCondition(condition)) report(["depends", parent], `no such condition: "${condition}"${suggest(condition, Condition.options)}`);
    }
  }
}

function checkDurations(task: TaskDefinition, { report }: TaskCheck): void {
  for (const field of ["timeout", "queueTimeout", "startTimeout", "stopGrace", "approvalTimeout"] as const) {
    checkDuration(task[field], (message) => report([field], message));
  }
  checkDuration(task.retry?.backoff?.base, (message) => report(["retry", "backoff", "base"], message));
  checkDuration(task.retry?.backoff?.max, (message) => report(["retry", "backoff", "max"], message));
}
