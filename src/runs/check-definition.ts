import { checkEnvironment } from "./check-environment.ts";
import { checkOutputs } from "./check-outputs.ts";
import { type CheckOptions, checkTask } from "./check-task.ts";
import type { Definition } from "./definition.ts";
import { checkDuration } from "./duration.ts";
import { type Fault, formatFault, formatPath, type Path } from "./location.ts";
import { findCycles, topologyOf } from "./topology.ts";

/** A hundred thousand tasks can share one mistake; nobody reads more of it than this. */
const maxFaults = 1000;

/** A cycle can be as long as a run; its beginning is enough to find it. */
const maxNamesOfCycle = 20;

/** Why a well-formed definition cannot work: its setup errors, with their places. None means that `compileGraph` takes it. */
export function checkDefinition(definition: Definition, options: CheckOptions = {}): readonly Fault[] {
  const faults: Fault[] = [];
  const report = (path: Path, message: string) => {
    faults.push({ path: formatPath(path), message });
  };

  checkDuration(definition.timeout, (message) => report(["timeout"], message));
  checkDuration(definition.queueTimeout, (message) => report(["queueTimeout"], message));
  checkEnvironment(definition.environment, (name, message) => report(["environment", name], message));
  checkEnvironment(definition.staticEnvironment, (name, message) => report(["staticEnvironment", name], message));
  const names = Object.keys(definition.tasks);
  const known = new Set(names);
  for (const name of names) {
    if (faults.length > maxFaults) break;
    const task = definition.tasks[name];
    if (task) checkTask(task, { name, known, options, report: (path, message) => report(["tasks", name, ...path], message) });
  }

  const topology = topologyOf(definition.tasks);
  for (const cycle of findCycles(topology)) {
    const [first = ""] = cycle;
    const shown = cycle.length > maxNamesOfCycle ? [...cycle.slice(0, maxNamesOfCycle), "…"] : cycle;
    report(["tasks", first, "depends"], `is a cycle: ${[...shown, first].join(" -> ")}`);
  }
  checkOutputs(topology, report);
  return faults.length <= maxFaults ? faults : [...faults.slice(0, maxFaults), { path: "", message: "and more" }];
}

/** What a run's `setupErrors` say: the client's own, then what the check has found. */
export function setupErrorsOf(definition: Definition, faults: readonly Fault[]): readonly string[] {
  return [...(definition.setupErrors ?? []), ...faults.map(formatFault)];
}
