import type { Kind } from "./kinds.ts";

/** What a default may depend on: the computer and the user that ostler runs as. */
export interface Machine {
  readonly hostname: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Where the user's programs keep data: `$XDG_DATA_HOME`, or `.local/share` in the home folder. */
  readonly dataHome: string;
  /** Where Docker's own programs find the daemon (`DOCKER_HOST`), if that was said. */
  readonly dockerHost?: string | undefined;
}

interface Base<Value> {
  /** The environment variable. The flag, and the variable that names a file, follow from it. */
  readonly env: string;
  readonly kind: Kind<Value>;
  /** A sentence or two for the settings page. */
  readonly about: string;
  /** A second, shorter flag. */
  readonly alias?: string;
  /** Set on values that no message may repeat. */
  readonly secret?: true;
}

/** A setting with the same default everywhere. */
export interface Fixed<Value> extends Base<Value> {
  /** As it would be written. */
  readonly default: string;
}

/** A setting whose default depends on the machine; `derived` is that default in words. */
export interface Derived<Value> extends Base<Value> {
  readonly derive: (machine: Machine) => string;
  readonly derived: string;
}

/** A setting that may be absent; `absent` says what happens then. */
export interface Optional<Value> extends Base<Value> {
  readonly absent: string;
}

export type Setting<Value> = Fixed<Value> | Derived<Value> | Optional<Value>;

/** Settings by the name of the field that holds their value. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

type ValueOf<S> = S extends Base<infer Value> ? Value : never;
type OptionalKey<S> = { [Key in keyof S]: S[Key] extends Optional<unknown> ? Key : never }[keyof S];

/** The values of settings, each under the name of its setting; optional ones may be absent. */
export type ValuesOf<S> = { readonly [Key in Exclude<keyof S, OptionalKey<S>>]: ValueOf<S[Key]> } & {
  readonly [Key in OptionalKey<S>]?: ValueOf<S[Key]>;
};

export function fixed<Value>(setting: Fixed<Value>): Fixed<Value> {
  return setting;
}

export function derived<Value>(setting: Derived<Value>): Derived<Value> {
  return setting;
}

export function optional<Value>(setting: Optional<Value>): Optional<Value> {
  return setting;
}

/** `OSTLER_EXECUTOR_POOL` -> `executor-pool`, the flag without its dashes. */
export function flagOf(env: string): string {
  return env.slice("OSTLER_".length).toLowerCase().replaceAll("_", "-");
}
