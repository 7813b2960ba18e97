/**
 * Writes the pages that are made from the code. With `--check` it writes nothing, and fails if one of them is stale.
 * To add a page: a line in `pages`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliPage } from "./cli-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { settingsPage } from "./settings-page.ts";

const root = join(import.meta.dirname, "..");

/** By path in the repository. */
const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/cli.md": cliPage,
  "docs/metrics.md": metricsPage,
  "docs/settings.md": settingsPage,
};

function current(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const check = process.argv.includes("--check");
for (const [name, make] of Object.entries(pages)) {
  const path = join(root, name);
  const text = await make();
  if (current(path) === text) continue;
  if (check) {
    console.error(`${name} is stale: run \`npm run generate\` and commit the result`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`wrote ${name}`);
  }
}
