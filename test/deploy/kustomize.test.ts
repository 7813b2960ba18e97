import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { newFolder } from "../support/folder.ts";
import { expectFit, secrets } from "./fitness.ts";
import { Manifest, parseManifests } from "./manifests.ts";

const folder = join(import.meta.dirname, "../../deploy/kustomize");
const Kustomization = z.object({
  resources: z.array(z.string()),
  images: z.array(z.object({ name: z.string(), newTag: z.string().optional() })).default([]),
  configMapGenerator: z.array(z.object({ name: z.string(), literals: z.array(z.string()) })).default([]),
});

function read(path: string): readonly Manifest[] {
  return parseManifests(readFileSync(join(folder, path), "utf8"));
}

/** What kustomize makes of a folder, as far as the tests ask: resources, generated settings, tags of images. */
function compose(path: string): readonly Manifest[] {
  const { resources, images, configMapGenerator } = Kustomization.parse(read(join(path, "kustomization.yaml"))[0]);
  const tags = new Map(images.map(({ name, newTag }) => [name, newTag]));
  const written = resources.filter((name) => name.endsWith(".yaml")).flatMap((name) => read(join(path, name)));
  const tag = (key: string, value: unknown) => (key === "image" && tags.get(String(value)) ? `${value}:${tags.get(String(value))}` : value);
  const tagged = Manifest.array().parse(JSON.parse(JSON.stringify(written), tag));
  const settings = configMapGenerator.map(({ name, literals }) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s).slice(0, 2))),
  }));
  return [...tagged, ...settings];
}

/** kubectl renders components since it brings kustomize 4; Debian's is older. */
function canRender(): boolean {
  const { status, stdout } = spawnSync("kubectl", ["version", "--client", "-o", "json"], { encoding: "utf8" });
  if (status !== 0) return false;
  const { kustomizeVersion } = z.object({ kustomizeVersion: z.string().default("v0") }).parse(JSON.parse(stdout));
  return Number.parseInt(kustomizeVersion.slice(1), 10) >= 5;
}

describe("deploy/kustomize", () => {
  it("is fit to run: locked down, pinned, with the rights of the driver and settings that ostler takes", () => {
    expectFit([...compose("base"), ...compose("components/nodes"), ...compose("overlays/example")]);
  });

  it("names every file that is there", () => {
    for (const path of ["base", "components/nodes", "overlays/example"]) {
      const { resources } = Kustomization.parse(read(join(path, "kustomization.yaml"))[0]);
      const files = globSync("*.yaml", { cwd: join(folder, path) }).filter((file) => file !== "kustomization.yaml");
      expect(resources.filter((name) => name.endsWith(".yaml")).sort()).toEqual(files.sort());
    }
  });

  it("asks for no right in the cluster unless its component is added", () => {
    expect(compose("base").filter(({ kind }) => kind.startsWith("Cluster"))).toEqual([]);
  });

  if (canRender()) {
    it("is what kubectl renders, and that is fit too", () => {
      const copy = newFolder("kustomize");
      cpSync(folder, copy, { recursive: true });
      const example = join(copy, "overlays/example");
      for (const name of ["admin-token", "secret-key"] as const) writeFileSync(join(example, name), secrets[name]);
      const rendered = parseManifests(execFileSync("kubectl", ["kustomize", example], { encoding: "utf8" }));
      expectFit(rendered);
      const names = rendered.map(({ kind, metadata }) => `${kind}/${metadata?.name.replace(/-[0-9a-z]{10}$/, "")}`);
      expect(names).toEqual(expect.arrayContaining(["Secret/ostler", "Service/ostler-api", "PersistentVolumeClaim/ostler-objects"]));
    });
  } else process.stderr.write("deploy/kustomize is not rendered here: there is no kubectl with kustomize 5\n");
});
