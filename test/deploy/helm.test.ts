import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { executorSettings } from "../../src/config/executor-settings.ts";
import { clientSettings, serverSettings } from "../../src/config/settings.ts";
import { expectFit, neededGrants, secrets } from "./fitness.ts";
import { grantsOf, parseManifests } from "./manifests.ts";

const root = join(import.meta.dirname, "../..");
const chart = join(root, "deploy/helm/ostler");
const readText = (path: string) => readFileSync(join(chart, path), "utf8");
const templates = globSync("templates/*", { cwd: chart }).map((path) => ({ path, text: readText(path) }));

/** Paths of what is not an object in itself: `api.service.port`. */
function leaves(value: unknown, path: readonly string[] = []): readonly string[] {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  return isObject ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name])) : [path.join(".")];
}

const Schema: z.ZodType<{ properties?: Record<string, unknown> | undefined }> = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** Paths that the schema describes: of objects with properties, those below them. */
function described(schema: unknown, path: readonly string[] = []): readonly string[] {
  const { properties } = Schema.parse(schema);
  return Object.entries(properties ?? {}).flatMap(([name, inner]) => [[...path, name].join("."), ...described(inner, [...path, name])]);
}

describe("the chart", () => {
  const values: unknown = parse(readText("values.yaml"));
  const used = [...new Set(templates.flatMap(({ text }) => Array.from(text.matchAll(/\.Values\.([\w.]+)/g), ([, path = ""]) => path)))];

  it("is of this version", () => {
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
    expect(parse(readText("Chart.yaml"))).toMatchObject({ name: "ostler", version, appVersion: version });
  });

  it("uses all of its values, and has a default for each that it uses", () => {
    const known = leaves(values);
    const covers = (outer: string, inner: string) => inner === outer || inner.startsWith(`${outer}.`);
    expect(used.filter((path) => !known.some((leaf) => covers(path, leaf)))).toEqual([]);
    expect(known.filter((leaf) => !used.some((path) => covers(path, leaf)))).toEqual([]);
  });

  it("describes all of its values", () => {
    const paths = new Set(described(JSON.parse(readText("values.schema.json"))));
    const undescribed = leaves(values).filter((leaf) => !paths.has(leaf) && !paths.has(leaf.replace(/\.(?:requests|limits)\..*$/, "")));
    expect(undescribed).toEqual([]);
  });

  it("grants what the driver needs, and nothing else", () => {
    const { text = "" } = templates.find(({ path }) => path.endsWith("permissions.yaml")) ?? {};
    const plain = text.replaceAll(/^\s*\{\{-.*\}\}$/gm, "").replaceAll(/\{\{.*?\}\}/g, "x");
    expect(grantsOf(parseManifests(plain), "Role")).toEqual(neededGrants("namespace"));
    expect(grantsOf(parseManifests(plain), "ClusterRole")).toEqual(neededGrants("cluster"));
    expect(text).not.toContain("cluster-admin");
  });

  it("names only settings that there are", () => {
    const tables = [serverSettings, executorSettings, clientSettings].flatMap((table) => Object.values(table));
    const known = new Set(tables.flatMap(({ env }) => [env, `${env}_FILE`]));
    const named = templates.flatMap(({ text }) => text.match(/\bOSTLER_[A-Z_]+/g) ?? []);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

const helm = (args: readonly string[]) => spawnSync("helm", [...args], { encoding: "utf8" });
const given = [
  ["secrets.redisUrl", secrets["redis-url"]],
  ["secrets.adminToken", secrets["admin-token"]],
  ["secrets.secretKey", secrets["secret-key"]],
];
// Built from source, helm takes an old cluster for granted.
const template = (values: readonly (readonly string[])[]) =>
  helm([
    "template",
    "ostler",
    chart,
    "--namespace",
    "ci",
    "--kube-version",
    "1.32.0",
    ...values.flatMap((pair) => ["--set", pair.join("=")]),
  ]);

if (helm(["version"]).status === 0) {
  describe("the chart by helm", () => {
    it("has nothing that helm finds wrong", () => {
      const { status, stdout } = helm(["lint", "--strict", chart, ...given.flatMap((pair) => ["--set", pair.join("=")])]);
      expect(status, stdout).toBe(0);
    });

    it.each([
      ["yours", given],
      ["one for trials", [...given.slice(1), ["redis.enabled", "true"]]],
      ["tasks in another namespace", [...given, ["executor.tasksNamespace", "tasks"], ["executor.archs", "{amd64,arm64}"]]],
      ["an autoscaler", [...given, ["executor.autoscaled", "true"], ["executor.drainSeconds", "600"], ["settings.OSTLER_SHARDS", "4"]]],
    ])("is fit with a Redis, or %s", (_, values) => {
      const { status, stdout, stderr } = template(values);
      expect(status, stderr).toBe(0);
      expectFit(parseManifests(stdout));
    });

    it.each([
      ["no secrets", [], /set secrets\./],
      ["a token that is too short", [...given, ["secrets.adminToken", "short"]], /adminToken/],
      ["a value that there is not", [...given, ["executer.replicas", "3"]], /executer/],
      ["a secret among the settings", [...given, ["settings.OSTLER_ADMIN_TOKEN", "a-token-of-enough-length"]], /settings/],
    ])("refuses %s", (_, values, message) => {
      const { status, stderr } = template(values);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(message);
    });
  });
} else process.stderr.write("the chart is not rendered here: there is no helm\n");
