import { parseArgs } from "node:util";
import { nearest } from "../nearest.ts";
import { boolean } from "./kinds.ts";
import type { Fault, Given } from "./read.ts";
import { flagOf, type Setting } from "./setting.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "OSTLER_";

export interface Gathered {
  /** By the setting's variable. */
  readonly texts: ReadonlyMap<string, Given>;
  readonly faults: readonly Fault[];
}

/** Texts given as flags. A flag given twice counts the last time. */
export function gatherFlags(settings: readonly Setting<unknown>[], argv: readonly string[]): Gathered {
  const texts = new Map<string, Given>();
  const faults: Fault[] = [];
  const settingOf = new Map(settings.flatMap((setting) => namesOf(setting).map((name): [string, Setting<unknown>] => [name, setting])));
  const options = Object.fromEntries(
    [...settingOf].map(([name, { kind }]) => [name, { type: kind === boolean ? ("boolean" as const) : ("string" as const) }]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });

  let afterUnknown = false;
  for (const token of tokens) {
    if (token.kind === "option") {
      const setting = settingOf.get(token.name);
      const text = token.value ?? (setting?.kind === boolean ? "true" : undefined);
      if (!setting) faults.push({ message: `unknown flag ${token.rawName}${meantFlag(token.name, settingOf.keys())}` });
      else if (text === undefined) faults.push({ env: setting.env, message: `${token.rawName} needs a value` });
      else if (text !== "") texts.set(setting.env, { text, by: token.rawName });
      afterUnknown = !setting;
    } else {
      // What follows an unknown flag is probably its value.
      if (token.kind === "positional" && !afterUnknown) faults.push({ message: `unexpected argument ${JSON.stringify(token.value)}` });
      afterUnknown = false;
    }
  }
  return { texts, faults };
}

/** Texts given by variables `OSTLER_A_B`, or in the files that variables `OSTLER_A_B_FILE` name (without the last line's end). */
export function gatherEnvironment(settings: readonly Setting<unknown>[], env: Environment, readFile: (path: string) => string): Gathered {
  const texts = new Map<string, Given>();
  const faults: Fault[] = [];
  for (const setting of settings) {
    const fileVariable = `${setting.env}_FILE`;
    const text = env[setting.env];
    const path = env[fileVariable];
    if (text) texts.set(setting.env, { text, by: setting.env });
    if (!path) continue;
    if (text) {
      faults.push({ env: setting.env, message: `${setting.env} and ${fileVariable} are both set: give one of them` });
      continue;
    }
    try {
      const content = readFile(path).replace(/\r?\n$/, "");
      if (content !== "") texts.set(setting.env, { text: content, by: fileVariable });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      faults.push({ env: setting.env, message: `${fileVariable} names a file that cannot be read: ${why}` });
    }
  }
  return { texts, faults };
}

/** A fault for every variable `OSTLER_*` that is none of the settings and that `ignored` does not match. */
export function unknownVariables(settings: readonly Setting<unknown>[], env: Environment, ignored: RegExp): readonly Fault[] {
  const known = new Set(settings.map((setting) => setting.env));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !ignored.test(name) && !known.has(name) && !known.has(name.replace(/_FILE$/, "")))
    .sort()
    .map((name) => ({ message: `unknown setting ${name}${meantVariable(name, known)}` }));
}

function namesOf(setting: Setting<unknown>): string[] {
  return [flagOf(setting.env), ...(setting.alias === undefined ? [] : [setting.alias])];
}

function meantFlag(name: string, known: Iterable<string>): string {
  const found = nearest(name, known);
  return found === undefined ? "" : ` (did you mean --${found}?)`;
}

/** Compares without what all variables begin with, or everything would be near. */
function meantVariable(name: string, known: Iterable<string>): string {
  const found = nearest(
    name.slice(prefix.length),
    Array.from(known, (variable) => variable.slice(prefix.length)),
  );
  return found === undefined ? "" : ` (did you mean ${prefix}${found}?)`;
}
