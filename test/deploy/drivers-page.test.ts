import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { driverKinds, executorSettings } from "../../src/config/executor-settings.ts";
import { serverSettings } from "../../src/config/settings.ts";
import { permissions } from "../../src/executors/kubernetes/permissions.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "drivers.md"), "utf8");

describe("docs/drivers.md", () => {
  it("lists the rights that the Kubernetes driver asks for", () => {
    const rows = Array.from(page.matchAll(/^\| `([a-z/]+)` \| ([a-z, ]+) \|/gm), ([, resource, verbs]) => `${resource}: ${verbs}`);
    expect(rows).toEqual(permissions.map(({ resource, verbs }) => `${resource}: ${verbs.join(", ")}`));
  });

  it("has a column for every driver, and names settings that there are", () => {
    for (const kind of driverKinds) expect(page).toMatch(new RegExp(`^\\|.*\`${kind}\``, "m"));
    const known = new Set([serverSettings, executorSettings].flatMap((table) => Object.values(table)).map(({ env }) => env));
    const named = page.match(/\bOSTLER_[A-Z_]+[A-Z]/g) ?? [];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it("links to files that there are", () => {
    const targets = Array.from(page.matchAll(/\]\(([^)#]+)/g), ([, target = ""]) => target);
    expect(targets.filter((target) => !existsSync(join(docs, target)))).toEqual([]);
  });
});
