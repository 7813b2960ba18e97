import { isDeepStrictEqual } from "node:util";
import { isJsonObject, objectAt, parseJson, textAt } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import { configMaps, secrets } from "./resource.ts";
import { badRequest, type Cause, forbiddenValue, invalid, invalidValue, required, tooLong } from "./status-error.ts";

const maxBytes = 1_048_576;
const dockerConfig = "kubernetes.io/dockerconfigjson";

/** A Secret with `stringData` folded into `data`. Throws 400 and 422. */
export function admitSecret(draft: KubeObject): KubeObject {
  const { stringData: _folded, ...rest } = draft;
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(objectAt(draft, "data"))) data[key] = checkedBase64(String(value ?? ""));
  for (const [key, value] of Object.entries(objectAt(draft, "stringData"))) data[key] = Buffer.from(String(value ?? "")).toString("base64");
  const type = textAt(draft, "type") ?? "Opaque";
  const { name } = draft.metadata;

  const causes = [...Object.keys(data).flatMap(badKey), ...(type === dockerConfig ? dockerConfigProblems(data) : [])];
  if (causes.length > 0) throw invalid(secrets, name, causes);
  const bytes = Object.values(data).reduce((sum, value) => sum + Buffer.from(value, "base64").length, 0);
  if (bytes > maxBytes) throw tooLong(secrets, name);
  return { ...rest, ...(Object.keys(data).length > 0 ? { data } : {}), type };
}

/** A replaced Secret: the type stays, and the content of an immutable one does. Throws 422. */
export function admitSecretUpdate(draft: KubeObject, current: KubeObject): KubeObject {
  const { name } = current.metadata;
  const type = textAt(draft, "type") ?? "Opaque";
  if (type !== current["type"]) throw invalid(secrets, name, [invalidValue("type", JSON.stringify(type), "field is immutable")]);
  const next = admitSecret(draft);
  if (current["immutable"] === true && !isDeepStrictEqual(next["data"], current["data"])) {
    throw invalid(secrets, name, [forbiddenValue("data", "field is immutable when `immutable` is set")]);
  }
  return next;
}

/** A ConfigMap within its size. Throws 422. */
export function admitConfigMap(draft: KubeObject): KubeObject {
  const bytes = Object.values(objectAt(draft, "data")).reduce<number>((sum, value) => sum + String(value).length, 0);
  if (bytes > maxBytes) throw tooLong(configMaps, draft.metadata.name);
  return draft;
}

function checkedBase64(value: string): string {
  const bad = /[^A-Za-z0-9+/=\n]/.exec(value);
  if (bad === null) return value;
  throw badRequest(`Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte ${bad.index}`);
}

function badKey(key: string): readonly Cause[] {
  if (/^[-._a-zA-Z0-9]+$/.test(key)) return [];
  const why =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' " +
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
  return [invalidValue(`data[${key}]`, JSON.stringify(key), why)];
}

function dockerConfigProblems(data: Readonly<Record<string, string>>): readonly Cause[] {
  const field = "data[.dockerconfigjson]";
  const text = data[".dockerconfigjson"];
  if (text === undefined) return [required(field)];
  try {
    if (isJsonObject(parseJson(Buffer.from(text, "base64").toString()))) return [];
  } catch {
    // Told below.
  }
  const why = "invalid character 'o' in literal null (expecting 'u')";
  return [invalidValue(field, '"<secret contents redacted>"', why)];
}
