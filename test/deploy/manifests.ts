import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { type Config, parseConfig } from "../../src/config.ts";
import { newFolder } from "../support/folder.ts";

const root = join(import.meta.dirname, "../..");
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

const Env = z.array(
  z.object({
    name: z.string(),
    value: z.string().optional(),
    valueFrom: z.object({ fieldRef: z.object({ fieldPath: z.string() }) }).optional(),
  }),
);
const Container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  env: Env.default([]),
  resources: z.object({ requests: z.record(z.string(), z.unknown()), limits: z.object({ memory: z.string() }) }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal("ALL")]) }),
    privileged: z.undefined().optional(),
  }),
  readinessProbe: z.unknown().optional(),
  livenessProbe: z.unknown().optional(),
  lifecycle: z.unknown().optional(),
});
export type Container = z.infer<typeof Container>;
const PodTemplate = z.object({
  spec: z.object({
    automountServiceAccountToken: z.boolean().optional(),
    serviceAccountName: z.string().optional(),
    // Else every Service named ostler-… would be a setting that nobody knows.
    enableServiceLinks: z.literal(false),
    terminationGracePeriodSeconds: z.number().optional(),
    hostNetwork: z.undefined().optional(),
    hostPID: z.undefined().optional(),
    securityContext: z.object({
      runAsNonRoot: z.literal(true),
      runAsUser: z.number().min(1),
      seccompProfile: z.object({ type: z.literal("RuntimeDefault") }),
    }),
    containers: z.tuple([Container]),
    volumes: z.array(z.record(z.string(), z.unknown())).default([]),
  }),
});
const Rule = z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) });
export const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }).optional(),
});
export type Manifest = z.infer<typeof Manifest>;

/** What a role's pod is made of: the one container of each is ostler's, or Redis's. */
export interface Workload {
  readonly name: string;
  readonly pod: z.infer<typeof PodTemplate>["spec"];
  readonly container: Container;
}

/** All documents of a YAML text; throws on one that is no manifest. */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const value: unknown = document.toJS();
    return value === null ? [] : [Manifest.parse(value)];
  });
}

/** Deployments and stateful sets; throws where one is not locked down as all must be. */
export function workloadsOf(manifests: readonly Manifest[]): readonly Workload[] {
  return manifests.flatMap((manifest) => {
    if (manifest.kind !== "Deployment" && manifest.kind !== "StatefulSet") return [];
    const { spec } = z.object({ spec: z.object({ template: PodTemplate }) }).parse(manifest);
    const [container] = spec.template.spec.containers;
    return [{ name: manifest.metadata?.name ?? "", pod: spec.template.spec, container }];
  });
}

/** What the roles of a kind allow, as `resource: verbs`, in the order of the resources. */
export function grantsOf(manifests: readonly Manifest[], kind: "Role" | "ClusterRole"): readonly string[] {
  const rules = manifests.filter((manifest) => manifest.kind === kind).flatMap(({ rules }) => z.array(Rule).parse(rules));
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    resources.map((resource) => `${apiGroups.join("|")}/${resource}: ${[...verbs].sort().join()}`).sort(),
  );
}

/** Images whose version may change by itself: without a tag, `latest`, or of another version than this one. */
export function looseImages(workloads: readonly Workload[]): readonly string[] {
  return workloads.flatMap(({ container: { image, name } }) => {
    const tag = /:([^:/]+)$/.exec(image)?.[1];
    const wanted = name === "redis" ? /^\d+\.\d+\.\d+/ : new RegExp(`^${version.replaceAll(".", "\\.")}$`);
    return tag !== undefined && wanted.test(tag) ? [] : [image];
  });
}

/** The settings of ostler's workloads, read as their processes will; throws ConfigError where they would refuse to start. */
export function configsOf(manifests: readonly Manifest[], secrets: Readonly<Record<string, string>>): ReadonlyMap<string, Config> {
  const folder = join(newFolder("secrets"), "ostler");
  mkdirSync(folder);
  for (const [key, value] of Object.entries(secrets)) writeFileSync(join(folder, key), `${value}\n`);
  const shared = manifests.filter(({ kind }) => kind === "ConfigMap").map(({ data }) => z.record(z.string(), z.string()).parse(data));
  const configs = workloadsOf(manifests).flatMap(({ container: { name, args, env } }) => {
    if (args[0] !== "serve") return [];
    const own = env.map(({ name: variable, value, valueFrom }) => [variable, value ?? valueFrom?.fieldRef.fieldPath ?? ""]);
    const variables: Readonly<Record<string, string>> = { ...Object.assign({}, ...shared), ...Object.fromEntries(own) };
    const here = Object.entries(variables).map(([variable, value]) => [variable, value.replace("/etc/ostler", folder)]);
    return [[name, parseConfig({ env: Object.fromEntries(here), argv: args.slice(1) })] as const];
  });
  return new Map(configs);
}
