/** What JSON can hold; `undefined` stands for a key that is not there. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** Is it an object with keys, neither null nor an array? */
export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object below a key, or an empty one. */
export function objectAt(value: Json, ...path: readonly string[]): JsonObject {
  let at = value;
  for (const key of path) at = isJsonObject(at) ? at[key] : undefined;
  return isJsonObject(at) ? at : {};
}

/** The value below a path of keys, or undefined. */
export function valueAt(value: Json, ...path: readonly string[]): Json {
  let at = value;
  for (const key of path) at = isJsonObject(at) ? at[key] : undefined;
  return at;
}

/** The list below a path of keys, or an empty one. */
export function listAt(value: Json, ...path: readonly string[]): readonly Json[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The text below a path of keys, or undefined. */
export function textAt(value: Json, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** The number below a path of keys, or undefined. */
export function numberAt(value: Json, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** The same without keys whose value is undefined, all the way down: what a round over the wire would leave. */
export function withoutUndefined(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, withoutUndefined(item)]),
  );
}

/** Parses JSON text; throws SyntaxError. */
export function parseJson(text: string): Json {
  const parsed: Json = JSON.parse(text);
  return parsed;
}
