import { objectAt, textAt } from "../json.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ObjectStore } from "../object-store.ts";
import type { Container } from "../pod-spec.ts";
import { configMaps, type Resource, secrets } from "../resource.ts";

export type Environment = Readonly<Record<string, string>>;

const basic: Environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };

/** The environment of a container, or why it cannot be had yet (a secret that is missing). */
export function environmentOf(store: ObjectStore, pod: KubeObject, container: Container): Environment | string {
  const { namespace = "", name } = pod.metadata;
  const found: Record<string, string> = { ...basic, HOSTNAME: name };
  for (const { secretRef } of container.envFrom) {
    if (secretRef === undefined) continue;
    const secret = store.find(secrets, namespace, secretRef.name);
    if (secret === undefined) return `secret "${secretRef.name}" not found`;
    for (const [key, value] of Object.entries(objectAt(secret, "data"))) found[key] = Buffer.from(String(value), "base64").toString();
  }
  for (const { name: variable, value, valueFrom } of container.env) {
    if (valueFrom === undefined) found[variable] = expand(value ?? "", found);
    else if (valueFrom.fieldRef !== undefined) found[variable] = textAt(pod, ...valueFrom.fieldRef.fieldPath.split(".")) ?? "";
    else {
      const key = keyOf(store, namespace, valueFrom);
      if ("problem" in key) return key.problem;
      if (key.value !== undefined) found[variable] = key.value;
    }
  }
  return found;
}

type ValueFrom = NonNullable<Container["env"][number]["valueFrom"]>;

function keyOf(store: ObjectStore, namespace: string, { secretKeyRef, configMapKeyRef }: ValueFrom) {
  const reference = secretKeyRef ?? configMapKeyRef;
  if (reference === undefined) return { value: "" };
  const resource: Resource = secretKeyRef === undefined ? configMaps : secrets;
  const object = store.find(resource, namespace, reference.name);
  const value = textAt(object, "data", reference.key);
  if (value !== undefined) return { value: resource === secrets ? Buffer.from(value, "base64").toString() : value };
  if (reference.optional === true) return { value: undefined };
  if (object === undefined) return { problem: `${resource.singular} "${reference.name}" not found` };
  return { problem: `couldn't find key ${reference.key} in ${resource.kind} ${namespace}/${reference.name}` };
}

/** `$(NAME)` is the value of a variable, an unknown one stays; `$$` is one dollar. */
export function expand(text: string, environment: Environment): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return "$";
    return environment[name] ?? whole;
  });
}
