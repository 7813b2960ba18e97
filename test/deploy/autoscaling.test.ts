import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/autoscaling.md"), "utf8");
const metrics = readFileSync(join(root, "docs/metrics.md"), "utf8");
const pools = readFileSync(join(root, "src/http/routes/pools.ts"), "utf8");
const executor = parseAllDocuments(readFileSync(join(root, "deploy/kustomize/base/executor.yaml"), "utf8")).map((document) =>
  document.toJS(),
);

const ScaledObject = z.object({
  kind: z.literal("ScaledObject"),
  spec: z.object({
    scaleTargetRef: z.object({ name: z.string() }),
    advanced: z.object({ scalingModifiers: z.object({ formula: z.string() }) }).optional(),
    triggers: z.array(z.object({ type: z.string(), name: z.string().optional(), metadata: z.record(z.string(), z.string()) })),
  }),
});

const documents = Array.from(page.matchAll(/```yaml\n(.*?)```/gs), ([, text = ""]) => parseAllDocuments(text)).flat();
const scaled = documents.flatMap((document) => ScaledObject.safeParse(document.toJS()).data ?? []);

describe("docs/autoscaling.md", () => {
  it("has examples that parse, for the executors that deploy/ makes", () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(scaled).toHaveLength(2);
    for (const { spec } of scaled)
      expect(executor).toContainEqual(
        expect.objectContaining({ kind: "Deployment", metadata: expect.objectContaining(spec.scaleTargetRef) }),
      );
  });

  it("asks the API for fields that pools have, and adds up all that it asks for", () => {
    const [{ spec } = { spec: undefined }] = scaled;
    const asked = spec?.triggers.map(({ metadata }) => metadata["valueLocation"]) ?? [];
    expect(asked).toEqual(["waiting", "liveAssignments"]);
    for (const field of asked) expect(pools).toMatch(new RegExp(`^ {4}${field}: z\\.number`, "m"));
    expect(spec?.advanced?.scalingModifiers.formula.split(" + ")).toEqual(spec?.triggers.map(({ name }) => name));
  });

  it("names metrics that there are", () => {
    const named = new Set(page.match(/ostler_[a-z_]+/g));
    expect(named.size).toBe(3);
    for (const name of named) expect(metrics).toContain(`\`${name}\``);
  });
});
