import type { Path } from "./location.ts";
import { stepTypeNames } from "./steps/registry.ts";

type Report = (path: Path, message: string) => void;
type Fields = Record<string, unknown>;

/**
 * Turns the short forms of a definition into the long one. What has the wrong type is left as it is, for the schema to refuse;
 * `report` gets only what the schema could no longer tell.
 */
export function expandDefinition(raw: unknown, report: Report): unknown {
  if (!isFields(raw)) return raw;
  const { tasks, setupErrors } = raw;
  if (tasks === undefined && Array.isArray(setupErrors) && setupErrors.length > 0) return { ...raw, tasks: {} };
  if (!isFields(tasks)) return raw;
  const expanded = Object.entries(tasks).map(([name, task]) => [
    name,
    expandTask(task, (path, message) => report(["tasks", name, ...path], message)),
  ]);
  return { ...raw, tasks: Object.fromEntries(expanded) };
}

function expandTask(raw: unknown, report: Report): unknown {
  if (!isFields(raw)) return raw;
  const { image, ...task } = raw;
  if (image !== undefined && typeof image !== "string") report(["image"], "expected a string");
  if ("depends" in task) task.depends = expandDepends(task.depends);
  if ("user" in task) task.user = numberAsText(task.user);
  if (Array.isArray(task.steps)) {
    task.steps = task.steps.map((step, index) => expandStep(step, (path, message) => report(["steps", index, ...path], message)));
  }
  task.runtime = expandRuntime(task.runtime, image, report);
  return task;
}

function expandRuntime(raw: unknown, image: unknown, report: Report): unknown {
  const runtime = raw === undefined ? {} : raw;
  if (!isFields(runtime)) return runtime;
  if (image !== undefined && runtime.containers !== undefined) {
    report(["image"], "is short for runtime.containers, which is there too: give one of them");
  }
  const containers = runtime.containers ?? (typeof image === "string" ? [{ image }] : []);
  return { ...runtime, containers: Array.isArray(containers) ? containers.map(expandContainer) : containers };
}

/** `cpu: 1`, `memory: 1048576` and `user: 1000` are as clear as their texts. */
function expandContainer(raw: unknown): unknown {
  if (!isFields(raw)) return raw;
  const container = { ...raw };
  if ("user" in container) container.user = numberAsText(container.user);
  if (isFields(container.resources)) {
    container.resources = Object.fromEntries(Object.entries(container.resources).map(([name, value]) => [name, numberAsText(value)]));
  }
  if (Array.isArray(container.volumes)) container.volumes = container.volumes.map(expandVolume);
  return container;
}

function expandVolume(raw: unknown): unknown {
  if (!isFields(raw) || !isFields(raw.tmpfs) || !("size" in raw.tmpfs)) return raw;
  return { ...raw, tmpfs: { ...raw.tmpfs, size: numberAsText(raw.tmpfs.size) } };
}

/** `lint`, `[lint]` and `{ lint: on_success }` -> `{ lint: ["on_success"] }`. */
function expandDepends(raw: unknown): unknown {
  if (typeof raw === "string") return { [raw]: ["on_success"] };
  if (Array.isArray(raw)) {
    if (!raw.every((parent) => typeof parent === "string")) return raw;
    return Object.fromEntries(raw.map((parent) => [parent, ["on_success"]]));
  }
  if (!isFields(raw)) return raw;
  return Object.fromEntries(Object.entries(raw).map(([parent, conditions]) => [parent, expandConditions(conditions)]));
}

function expandConditions(raw: unknown): unknown {
  if (raw === null || (Array.isArray(raw) && raw.length === 0)) return ["on_success"];
  return typeof raw === "string" ? [raw] : raw;
}

/** `{ run: npm ci }` -> `{ type: "run", command: "npm ci" }`; a type that nobody knows is kept as a step that cannot work. */
function expandStep(raw: unknown, report: Report): unknown {
  if (!isFields(raw)) return raw;
  if (raw.type === undefined && raw.run !== undefined) {
    const { run, ...step } = raw;
    if (step.command !== undefined) report(["command"], "is what `run` is short for: give one of them");
    if (typeof run !== "string") report(["run"], "expected a string");
    return { ...step, type: "run", command: typeof run === "string" ? run : "", ...userOf(step) };
  }
  if (raw.type === undefined) {
    report([], "a step needs a type (or `run`, short for a command)");
    return { type: "unknown", given: "" };
  }
  if (typeof raw.type === "string" && !stepTypeNames.includes(raw.type) && !isUnknownStep(raw)) return { type: "unknown", given: raw.type };
  return { ...raw, ...userOf(raw) };
}

function isUnknownStep(raw: Fields): boolean {
  return raw.type === "unknown" && typeof raw.given === "string";
}

function userOf(step: Fields): Fields {
  return "user" in step ? { user: numberAsText(step.user) } : {};
}

function numberAsText(value: unknown): unknown {
  return typeof value === "number" && Number.isFinite(value) ? String(value) : value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
