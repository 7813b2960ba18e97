import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkDefinition } from "../../src/runs/check-definition.ts";
import { parseYamlText } from "../../src/runs/document.ts";
import { parseDefinition } from "../../src/runs/parse-definition.ts";

const folder = join(import.meta.dirname, "../../examples");

describe("the examples", () => {
  it.each(globSync("*.yaml", { cwd: folder }))("%s has no setup error", (file) => {
    const definition = parseDefinition(parseYamlText(readFileSync(join(folder, file), "utf8")));
    expect(checkDefinition(definition)).toEqual([]);
  });

  it("show everything that a pipeline is made of", () => {
    const text = readFileSync(join(folder, "hello.yaml"), "utf8");
    for (const part of [
      "restore_cache",
      "save_cache",
      "save_to_workspace",
      "restore_workspace",
      "save_artifact",
      "on_failure",
      "ignoreFailure: true",
      "OSTLER_OUTPUT_PREPARE_COUNT",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("check the project with every script that `npm run check` runs", () => {
    const scripts: Record<string, string> = JSON.parse(readFileSync(join(folder, "../package.json"), "utf8")).scripts;
    const checks = Object.keys(scripts).filter((name) => name.startsWith("check:"));
    const self = readFileSync(join(folder, "self.yaml"), "utf8");
    for (const check of checks) expect(self).toContain(`npm run --silent ${check}'`);
    expect(scripts["check"]?.match(/check:\w+/g)).toEqual(checks);
  });
});
