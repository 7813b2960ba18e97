import { type Json, valueAt } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import type { Resource } from "./resource.ts";
import { badRequest } from "./status-error.ts";

/** Says whether an object is meant. */
export type Selector = (object: KubeObject) => boolean;

const key = "[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?";
const value = "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?";
const equality = new RegExp(`^(${key})\\s*(==|=|!=)\\s*(${value})$`);
const membership = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const existence = new RegExp(`^(!?)\\s*(${key})$`);

/** Parses `a=b,c in (d,e),!f`. Throws 400. */
export function parseLabelSelector(text: string): Selector {
  const requirements = splitRequirements(text).map(labelRequirement);
  return (object) => requirements.every((holds) => holds(object.metadata.labels ?? {}));
}

/** Commas inside parentheses do not part requirements. */
function splitRequirements(text: string): readonly string[] {
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

function labelRequirement(text: string): LabelTest {
  const equal = equality.exec(text);
  if (equal !== null) {
    const [, name = "", , operator, wanted = ""] = equal;
    return operator === "!=" ? (labels) => labels[name] !== wanted : (labels) => labels[name] === wanted;
  }
  const member = membership.exec(text);
  if (member !== null) {
    const [, name = "", , operator, list = ""] = member;
    const values = new Set(list.split(",").map((item) => item.trim()));
    const among: LabelTest = (labels) => labels[name] !== undefined && values.has(labels[name]);
    return operator === "in" ? among : (labels) => !among(labels);
  }
  const exists = existence.exec(text);
  if (exists !== null) {
    const [, not, name = ""] = exists;
    return not === "!" ? (labels) => labels[name] === undefined : (labels) => labels[name] !== undefined;
  }
  throw badRequest("unable to parse requirement: found '=', expected: identifier");
}

const always = ["metadata.name", "metadata.namespace"];
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP"],
  Event: ["involvedObject.kind", "involvedObject.name", "involvedObject.namespace", "involvedObject.uid", "reason", "type", "source"],
  Node: ["spec.unschedulable"],
  Secret: ["type"],
  Namespace: ["status.phase"],
};

/** Parses `metadata.name=x,spec.nodeName!=y` for the fields that a kind has. Throws 400. */
export function parseFieldSelector(text: string, resource: Resource): Selector {
  const known = [...always, ...(fieldsOf[resource.kind] ?? [])];
  const tests = text
    .split(",")
    .filter((part) => part !== "")
    .map((part): Selector => {
      const [, field = "", operator, wanted = ""] = /^(.*?)(!=|==|=)(.*)$/.exec(part) ?? [];
      if (operator === undefined) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      const matches: Selector = (object) => fieldText(valueAt(object, ...field.split("."))) === wanted;
      return operator === "!=" ? (object) => !matches(object) : matches;
    });
  return (object) => tests.every((test) => test(object));
}

function fieldText(found: Json): string {
  return typeof found === "string" ? found : found === undefined || found === null ? "" : String(found);
}
