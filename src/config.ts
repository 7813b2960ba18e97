import { readFileSync } from "node:fs";
import { availableParallelism, homedir, hostname, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findContradictions } from "./config/contradictions.ts";
import { executorSettings } from "./config/executor-settings.ts";
import { gatherEnvironment, gatherFlags, unknownVariables } from "./config/gather.ts";
import { type Fault, readValues } from "./config/read.ts";
import type { Machine, Setting, ValuesOf } from "./config/setting.ts";
import { clientSettings, type ServerValues, serverSettings, stepNames } from "./config/settings.ts";

/** What `ostler serve` was told. Times are in ms, sizes in bytes, folders absolute. */
export interface Config extends ServerValues {
  readonly ostUrl: string;
  /** What of this process's environment a process that an executor starts may see: `PATH`, `LANG`, `TZ`, `TMPDIR`. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
}

/** What the command line client was told. */
export type ClientConfig = ValuesOf<typeof clientSettings>;

/** The start is refused: `faults` says everything that is wrong with the settings, one sentence each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const serverTable: readonly Setting<unknown>[] = [...Object.values(serverSettings), ...Object.values(executorSettings)];
const clientTable: readonly Setting<unknown>[] = Object.values(clientSettings);

/** The settings of `serve` from its flags (`argv`, after the verb) and the environment; a flag wins. Throws ConfigError with all faults at once. */
export function parseConfig(
  given: { readonly env?: Environment; readonly argv?: readonly string[]; readonly machine?: Machine } = {},
): Config {
  const { env = process.env, argv = [] } = given;
  const machine = given.machine ?? thisMachine(env);
  const variables = gatherEnvironment(serverTable, env, readText);
  const flags = gatherFlags(serverTable, argv);
  const texts = new Map([...variables.texts, ...flags.texts]);
  const server = readValues(serverSettings, texts, machine);
  const executor = readValues(executorSettings, texts, machine);

  const ostUrl = server.values.ostUrl ?? pathToFileURL(join(server.values.dataDir, "ost")).href;
  const values = { ...server.values, ostUrl, executor: executor.values };
  const faults = [...unknownNames(env), ...variables.faults, ...flags.faults, ...server.faults, ...executor.faults];
  stopOn([...faults, ...findContradictions(values, new Set(faults.flatMap((fault) => fault.env ?? [])))]);
  return { ...values, hostEnvironment: pick(env, ["PATH", "LANG", "TZ", "TMPDIR"]) };
}

/** The settings of the client; `flags` are its own command's, by field name, and win. Throws ConfigError with all faults at once. */
export function parseClientConfig(
  given: { readonly env?: Environment; readonly flags?: Readonly<Partial<Record<keyof ClientConfig, string>>> } = {},
): ClientConfig {
  const { env = process.env, flags = {} } = given;
  const variables = gatherEnvironment(clientTable, env, readText);
  const texts = new Map(variables.texts);
  for (const [field, setting] of Object.entries(clientSettings)) {
    const text = new Map(Object.entries(flags)).get(field);
    if (text) texts.set(setting.env, { text, by: `--${field}` });
  }
  const { values, faults } = readValues(clientSettings, texts, thisMachine(env));
  stopOn([...unknownNames(env), ...variables.faults, ...faults]);
  return values;
}

/** The environment of this process, for children that are this same program. */
export function ownEnvironment(): Environment {
  return process.env;
}

function unknownNames(env: Environment): readonly Fault[] {
  return unknownVariables([...serverTable, ...clientTable], env, stepNames);
}

function stopOn(faults: readonly Fault[]): void {
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => fault.message));
}

function thisMachine(env: Environment): Machine {
  return {
    hostname: hostname(),
    cores: availableParallelism(),
    memoryBytes: memoryLimit(),
    dataHome: env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"),
    dockerHost: env["DOCKER_HOST"] || undefined,
  };
}

/** What this process may use: the container's limit where there is one. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}

function pick(env: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
