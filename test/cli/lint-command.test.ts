import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ostler } from "./command.ts";

let folder = "";
const file = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostler-lint-"));
  await writeFile(file("good.yaml"), "name: x\ngroup: /a/b\ntasks: { t: { image: x, steps: [] } }\n");
  await writeFile(file("cannot-work.yaml"), "name: x\ngroup: /a/b\ntasks: { build: { image: x, depends: [lint], timeout: soon } }\n");
  await writeFile(file("malformed.json"), '{"name": 1, "group": "/a/b", "tasks": {}, "dependz": 1}');
  await writeFile(file("broken.yaml"), "name: [\n");
});
afterAll(() => rm(folder, { recursive: true }));

describe("ostler lint", () => {
  it("is content with a good file, without a server", async () => {
    expect(await ostler(["lint", file("good.yaml")])).toEqual({ code: 0, stdout: "", stderr: `${file("good.yaml")} is fine\n` });
  });

  it("prints every place that is wrong in every file, and exits with 5", async () => {
    const { code, stdout } = await ostler([
      "lint",
      file("cannot-work.yaml"),
      file("good.yaml"),
      file("malformed.json"),
      file("broken.yaml"),
    ]);
    const lines = stdout.trimEnd().split("\n");
    expect(code).toBe(5);
    expect(lines[0]).toMatch(/cannot-work\.yaml:tasks\.build\.depends\.lint: no such task/);
    expect(lines[1]).toMatch(/cannot-work\.yaml:tasks\.build\.timeout: /);
    expect(stdout).toMatch(/malformed\.json:name: expected a string/);
    expect(stdout).toMatch(/malformed\.json.*dependz/);
    expect(lines.at(-1)).toMatch(/broken\.yaml: not valid YAML: .* at line \d+, column \d+$/);
    expect(stdout).not.toContain("good.yaml");
  });

  it("gives places to programs", async () => {
    const { stdout } = await ostler(["lint", "-", "-o", "json"], {
      stdin: "name: x\ngroup: /a/b\ntasks: { build: { image: x, depends: [lint] } }",
    });
    expect(JSON.parse(stdout)).toEqual([{ file: "-", path: "tasks.build.depends.lint", message: expect.stringContaining("no such task") }]);
  });
});
