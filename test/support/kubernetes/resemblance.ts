import { isJsonObject, type Json, type JsonObject, listAt, textAt, valueAt } from "./json.ts";

/** Keys whose values differ between any two clusters; only that they are there counts. */
const own = new Set([
  "uid",
  "resourceVersion",
  "containerID",
  "imageID",
  "podIP",
  "hostIP",
  "ip",
  "continue",
  "lastHeartbeatTime",
  "reportingInstance",
]);
/** Marks of the recordings for what they leave out: the rest of that object is not compared. */
const mark = /^\(.*\)$/;
/** What is not compared: it is told by the server about itself. */
const ignored = new Set(["managedFields"]);

/** How much of an answer the recording shows. */
type Extent = "whole" | "part";

/** Where an answer differs from the recorded one, one line each; names and times that differ between clusters are alike. */
export function differences(golden: Json, found: Json, path = "$", extent: Extent = "whole"): readonly string[] {
  if (isMark(golden)) return [];
  if (Array.isArray(golden)) return listDifferences(golden, found, path, extent);
  if (isJsonObject(golden)) return isJsonObject(found) ? objectDifferences(golden, found, path, extent) : [differs(golden, found, path)];
  if (typeof golden === "string" && typeof found === "string") {
    return normalised(golden) === normalised(found) ? [] : [differs(normalised(golden), normalised(found), path)];
  }
  return golden === found ? [] : [differs(golden, found, path)];
}

function listDifferences(golden: readonly Json[], found: Json, path: string, extent: Extent): readonly string[] {
  if (!Array.isArray(found)) return [differs(golden, found, path)];
  const length = golden.length === found.length ? [] : [`${path}: ${golden.length} items recorded, ${found.length} found`];
  return [
    ...length,
    ...golden.flatMap((item, index) => (index < found.length ? differences(item, found[index], `${path}[${index}]`, extent) : [])),
  ];
}

function objectDifferences(golden: JsonObject, found: JsonObject, path: string, extent: Extent): readonly string[] {
  const isShort = golden["metadata"] === undefined && found["metadata"] !== undefined;
  const here = extent === "part" || isShort || Object.keys(golden).some((key) => mark.test(key)) ? "part" : "whole";
  const keys = Object.keys(golden).filter((key) => !mark.test(key) && !ignored.has(key));
  const extra = Object.keys(found).filter((key) => found[key] !== undefined && golden[key] === undefined && !ignored.has(key));
  return [
    ...(here === "part" ? [] : extra.map((key) => `${path}.${key}: found, not recorded: ${JSON.stringify(found[key])}`)),
    ...keys.flatMap((key) => {
      const value = found[key] === undefined && here === "part" ? shortened(found, key) : found[key];
      if (value === undefined && golden[key] !== undefined && !isMark(golden[key]))
        return [`${path}.${key}: recorded, not found: ${JSON.stringify(golden[key])}`];
      if (own.has(key)) return [];
      return differences(golden[key], value, `${path}.${key}`, key === "metadata" && extent === "whole" ? "whole" : here);
    }),
  ];
}

function isMark(golden: Json): boolean {
  return typeof golden === "string" && mark.test(golden);
}

/** Recordings show some answers by a few of their fields, without the objects around them. */
function shortened(found: JsonObject, key: string): Json {
  if (key === "names") return listAt(found, "items").map((item) => textAt(item, "metadata", "name"));
  if (key === "ready") return listAt(found, "status", "conditions").find((condition) => textAt(condition, "type") === "Ready");
  if (key === "volumeMounts") return valueAt(listAt(found, "spec", "containers")[0], key);
  if (key === "containers") return listAt(found, "spec", key);
  return valueAt(found, "metadata", key) ?? valueAt(found, "status", key) ?? valueAt(found, "spec", key);
}

function differs(golden: Json, found: Json, path: string): string {
  return `${path}: ${JSON.stringify(golden)} recorded, ${JSON.stringify(found)} found`;
}

/** A text without what differs between any two clusters. */
export function normalised(text: string): string {
  return (
    text
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, (time) => (time.startsWith("1970") ? "1970" : "TIME"))
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID")
      .replaceAll(/[0-9a-f]{64}/g, "ID")
      .replaceAll(/kube-api-access-\w{5}/g, "kube-api-access")
      .replaceAll(/(crud-gen-)\w{5}/g, "$1")
      .replaceAll(/(ResourceVersion in record )\(\d+\)/g, "$1")
      .replaceAll(/(too old resource version: )\d+ \(\d+\)/g, "$1")
      .replaceAll(/(current: )\d+/g, "$1")
      .replaceAll(/127\.0\.0\.1:\d+/g, "ADDRESS")
      // The message of a real server goes on with a difference of two Go structures.
      .replace(/(if it was previously negative\))\n.*$/s, "$1")
  );
}
