import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { isJsonObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { badRequest, StatusError } from "./status-error.ts";

const Operation = z.object({
  op: z.enum(["add", "remove", "replace", "test", "move", "copy"]),
  path: z.string(),
  from: z.string().optional(),
  value: z.json().optional(),
});
type Operation = z.infer<typeof Operation>;

/** Which patches the server takes, by content type. */
const patchers: Readonly<Record<string, (target: JsonObject, text: string) => Json>> = {
  "application/json-patch+json": (target, text) => operationsOf(text).reduce<Json>(apply, target),
  "application/merge-patch+json": (target, text) => merge(target, parsePatch(text)),
  "application/strategic-merge-patch+json": (target, text) => strategicMerge(target, parsePatch(text)),
};

/** Applies a patch. Throws 400, 415 and 422. */
export function applyPatch(target: JsonObject, contentType: string, text: string): JsonObject {
  const patcher = patchers[contentType.split(";")[0]?.trim() ?? ""];
  if (patcher === undefined) throw unsupported();
  const patched = patcher(target, text);
  if (!isJsonObject(patched)) throw rejected();
  return patched;
}

function unsupported(): StatusError {
  return new StatusError({ code: 415, reason: "UnsupportedMediaType", message: "415: Unsupported Media Type", details: {} });
}

function rejected(): StatusError {
  return new StatusError({
    code: 422,
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
    details: {},
  });
}

function parsePatch(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    const at = /^\s*\{\s*(\S)/.exec(text)?.[1] ?? "";
    throw badRequest(`error decoding patch: invalid character '${at}' looking for beginning of object key string`);
  }
}

function operationsOf(text: string): readonly Operation[] {
  const parsed = z.array(Operation).safeParse(parsePatch(text));
  if (parsed.success) return parsed.data;
  throw badRequest("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
}

/** RFC 7386: null removes. */
function merge(target: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, Json> = { ...(isJsonObject(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

/** Lists of things with a name (containers, env, volumes) are merged by name; all else as a merge patch. */
function strategicMerge(target: Json, patch: Json): Json {
  if (Array.isArray(patch) && Array.isArray(target) && patch.every(hasName)) return mergeByName(target, patch);
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, Json> = { ...(isJsonObject(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = strategicMerge(merged[key], value);
  }
  return merged;
}

function hasName(item: Json): boolean {
  return isJsonObject(item) && typeof item["name"] === "string";
}

function mergeByName(target: readonly Json[], patch: readonly Json[]): readonly Json[] {
  const name = (item: Json) => (isJsonObject(item) ? item["name"] : undefined);
  const kept = target.map((item) => {
    const change = patch.find((candidate) => name(candidate) === name(item));
    return change === undefined ? item : strategicMerge(item, change);
  });
  return [...kept, ...patch.filter((item) => !target.some((existing) => name(existing) === name(item)))];
}

/** One operation of RFC 6902. */
function apply(target: Json, operation: Operation): Json {
  const path = pointer(operation.path);
  switch (operation.op) {
    case "test":
      if (!isDeepStrictEqual(read(target, path), operation.value)) throw rejected();
      return target;
    case "remove":
      read(target, path);
      return put(target, path, { remove: true });
    case "replace":
      read(target, path);
      return put(target, path, { value: operation.value, replace: true });
    case "add":
      return put(target, path, { value: operation.value });
    case "copy":
      return put(target, path, { value: read(target, pointer(operation.from ?? "")) });
    case "move": {
      const from = pointer(operation.from ?? "");
      return put(put(target, from, { remove: true }), path, { value: read(target, from) });
    }
  }
}

function pointer(text: string): readonly string[] {
  if (text === "") return [];
  return text
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function read(target: Json, path: readonly string[]): Json {
  let at = target;
  for (const key of path) {
    if (Array.isArray(at)) at = at[Number(key)];
    else at = isJsonObject(at) ? at[key] : undefined;
    if (at === undefined) throw rejected();
  }
  return at;
}

function put(
  target: Json,
  path: readonly string[],
  change: { readonly value?: Json; readonly remove?: true; readonly replace?: true },
): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change.value;
  if (Array.isArray(target)) return putIntoList(target, [key, ...rest], change);
  if (!isJsonObject(target)) throw rejected();
  const changed: Record<string, Json> = { ...target };
  if (rest.length > 0) changed[key] = put(changed[key], rest, change);
  else if (change.remove === true) delete changed[key];
  else changed[key] = change.value;
  return changed;
}

function putIntoList(list: readonly Json[], [key = "", ...rest]: readonly string[], change: Parameters<typeof put>[2]): Json {
  const index = key === "-" ? list.length : Number(key);
  if (rest.length > 0) return list.with(index, put(list[index], rest, change));
  if (change.remove === true) return list.toSpliced(index, 1);
  return change.replace === true ? list.with(index, change.value) : list.toSpliced(index, 0, change.value);
}
