import { type Json, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { KubeObject } from "./kube-object.ts";
import { parseQuantity } from "./quantities.ts";
import { pods } from "./resource.ts";
import { badRequest, type Cause, invalid, invalidValue, required } from "./status-error.ts";

const alphanumeric = "must start and end with an alphanumeric character";
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const subdomainWhy = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${alphanumeric} (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dnsLabelWhy = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and ${alphanumeric} (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;
const labelKey = /^([A-Za-z0-9.-]+\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelKeyWhy = `name part must consist of alphanumeric characters, '-', '_' or '.', and ${alphanumeric} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const labelValueWhy = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and ${alphanumeric} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;

/** Throws 422 with every problem of a new pod, 400 for a quantity that does not parse. */
export function checkPod(pod: KubeObject): void {
  const spec = pod.spec ?? {};
  const containers = listAt(spec, "containers");
  const initContainers = listAt(spec, "initContainers");
  checkQuantities([...initContainers, ...containers]);
  const causes = [
    ...(subdomain.test(pod.metadata.name) && pod.metadata.name.length <= 253
      ? []
      : [invalidValue("metadata.name", JSON.stringify(pod.metadata.name), subdomainWhy)]),
    ...labelProblems(pod.metadata.labels ?? {}),
    ...(containers.length === 0 ? [required("spec.containers")] : []),
    ...containerListProblems("spec.initContainers", initContainers, spec),
    ...containerListProblems("spec.containers", containers, spec),
    ...oneOf("spec.restartPolicy", textAt(spec, "restartPolicy"), ["Always", "OnFailure", "Never"]),
    ...deadlineProblems(spec),
  ];
  if (causes.length > 0) throw invalid(pods, pod.metadata.name, causes);
}

function checkQuantities(containers: readonly Json[]): void {
  const quantities = containers.flatMap((container) => [
    ...Object.values(objectAt(container, "resources", "limits")),
    ...Object.values(objectAt(container, "resources", "requests")),
  ]);
  if (quantities.every((quantity) => parseQuantity(String(quantity)) !== undefined)) return;
  throw badRequest(
    `Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  );
}

function labelProblems(labels: Readonly<Record<string, string>>): readonly Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...(labelKey.test(key) ? [] : [invalidValue("metadata.labels", JSON.stringify(key), labelKeyWhy)]),
    ...labelValueProblems(value),
  ]);
}

function labelValueProblems(value: string): readonly Cause[] {
  if (value.length > 63) return [invalidValue("metadata.labels", JSON.stringify(value), "must be no more than 63 characters")];
  return labelValue.test(value) ? [] : [invalidValue("metadata.labels", JSON.stringify(value), labelValueWhy)];
}

function containerListProblems(path: string, containers: readonly Json[], spec: JsonObject): readonly Cause[] {
  const names = containers.map((container) => textAt(container, "name") ?? "");
  return containers.flatMap((container, index) => [
    ...containerProblems(`${path}[${index}]`, container, spec),
    ...(names.indexOf(names[index] ?? "") < index
      ? [{ reason: "FieldValueDuplicate", message: `Duplicate value: ${JSON.stringify(names[index])}`, field: `${path}[${index}].name` }]
      : []),
  ]);
}

function containerProblems(path: string, container: Json, spec: JsonObject): readonly Cause[] {
  const name = textAt(container, "name") ?? "";
  const volumes = listAt(spec, "volumes").map((volume) => textAt(volume, "name"));
  return [
    ...(name === "" ? [required(`${path}.name`)] : []),
    ...(name === "" || dnsLabel.test(name) ? [] : [invalidValue(`${path}.name`, JSON.stringify(name), dnsLabelWhy)]),
    ...((textAt(container, "image") ?? "") === "" ? [required(`${path}.image`)] : []),
    ...listAt(container, "env").flatMap((variable, index) =>
      (textAt(variable, "name") ?? "") === "" ? [required(`${path}.env[${index}].name`)] : [],
    ),
    ...listAt(container, "volumeMounts").flatMap((mount, index) => [
      ...(volumes.includes(textAt(mount, "name"))
        ? []
        : [
            {
              reason: "FieldValueNotFound",
              message: `Not found: ${JSON.stringify(textAt(mount, "name"))}`,
              field: `${path}.volumeMounts[${index}].name`,
            },
          ]),
      ...((textAt(mount, "mountPath") ?? "") === "" ? [required(`${path}.volumeMounts[${index}].mountPath`)] : []),
    ]),
    ...limitProblems(path, container),
    ...oneOf(`${path}.imagePullPolicy`, textAt(container, "imagePullPolicy"), ["Always", "IfNotPresent", "Never"]),
  ];
}

function limitProblems(path: string, container: Json): readonly Cause[] {
  const limits = objectAt(container, "resources", "limits");
  return Object.entries(objectAt(container, "resources", "requests")).flatMap(([name, request]) => {
    const limit = limits[name];
    if (limit === undefined || (parseQuantity(String(request)) ?? 0) <= (parseQuantity(String(limit)) ?? 0)) return [];
    return [invalidValue(`${path}.resources.requests`, JSON.stringify(request), `must be less than or equal to ${name} limit of ${limit}`)];
  });
}

function oneOf(field: string, value: string | undefined, supported: readonly string[]): readonly Cause[] {
  if (value === undefined || value === "" || supported.includes(value)) return [];
  const list = supported.map((item) => JSON.stringify(item)).join(", ");
  return [{ reason: "FieldValueNotSupported", message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`, field }];
}

function deadlineProblems(spec: JsonObject): readonly Cause[] {
  const seconds = spec["activeDeadlineSeconds"];
  if (seconds === undefined || (typeof seconds === "number" && seconds >= 1)) return [];
  return [invalidValue("spec.activeDeadlineSeconds", String(seconds), "must be between 1 and 2147483647, inclusive")];
}
