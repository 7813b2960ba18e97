import type { Machine, Setting, Settings, ValuesOf } from "./setting.ts";

/** What is wrong, and with which setting (its variable), if with one. */
export interface Fault {
  readonly env?: string;
  readonly message: string;
}

/** A text that was given for a setting, and by which name (`--port`, `OSTLER_PORT`), for messages. */
export interface Given {
  readonly text: string;
  readonly by: string;
}

/** A setting's value, or its default's where there is no text, or a faulty one: its fault stops the start anyway. */
function read<Value>(
  setting: Setting<Value>,
  given: Given | undefined,
  machine: Machine,
): { readonly value: Value | undefined; readonly fault?: Fault } {
  const value = given && setting.kind.parse(given.text);
  if (value !== undefined) return { value };
  const fallback = "default" in setting ? setting.default : "derive" in setting ? setting.derive(machine) : undefined;
  const otherwise = fallback === undefined ? undefined : setting.kind.parse(fallback);
  if (!given) return { value: otherwise };
  const not = setting.secret ? "" : `, not ${JSON.stringify(given.text)}`;
  return { value: otherwise, fault: { env: setting.env, message: `${given.by} must be ${setting.kind.form}${not}` } };
}

/** The values of `settings` from the texts given for their variables, and every fault found. */
export function readValues<S extends Settings>(
  settings: S,
  texts: ReadonlyMap<string, Given>,
  machine: Machine,
): { readonly values: ValuesOf<S>; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(settings)) {
    const { value, fault } = read(setting, texts.get(setting.env), machine);
    if (value !== undefined) values[field] = value;
    if (fault) faults.push(fault);
  }
  // Every field was filled from the setting of that name, whose kind has the field's type.
  return { values: values as ValuesOf<S>, faults };
}
