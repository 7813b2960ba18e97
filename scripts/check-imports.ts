/** Holds the sources to the import rules (import-rules.ts). Fails if it sees fewer files than there can be: a check that sees nothing finds nothing. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findViolations } from "./import-rules.ts";

const root = join(import.meta.dirname, "../src");
const leastFiles = 50;

const paths = globSync("**/*.{ts,tsx}", { cwd: root });
const violations = findViolations(new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")])));
for (const violation of violations) console.error(violation);
console.log(`${paths.length} files, ${violations.length} violations of the import rules`);
process.exitCode = violations.length === 0 && paths.length >= leastFiles ? 0 : 1;
