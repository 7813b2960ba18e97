import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "ostler-package-"));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function run(program: string, args: readonly string[], cwd: string): string {
  return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the published package", { timeout: 10 * 60_000 }, () => {
  it("works where nothing but itself was installed", () => {
    run("npm", ["run", "build"], root);
    const [{ filename, files }] = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], root));
    const paths: string[] = files.map(({ path }: { path: string }) => path);
    expect(paths).toContain("LICENSE");
    expect(paths).toContain("examples/hello.yaml");
    const assets = globSync("**/*.*", { cwd: join(root, "src") }).filter((path) => !path.endsWith(".ts"));
    expect(assets.length).toBeGreaterThan(10);
    expect(paths).toEqual(expect.arrayContaining(assets.map((path) => `dist/${path}`)));
    expect(paths.filter((path) => /^(?:src|test|node_modules)\//.test(path))).toEqual([]);

    run("npm", ["init", "-y"], folder);
    run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", join(folder, filename)], folder);
    const ostler = join(folder, "node_modules/.bin/ostler");
    expect(run(ostler, ["--version"], folder)).toContain(version);
    expect(run(ostler, ["serve", "--help"], folder)).toContain("--data-dir");
    expect(run(ostler, ["lint", join(folder, "node_modules/ostler/examples/hello.yaml")], folder)).toBeDefined();
  });
});
