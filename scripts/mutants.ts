/**
 * Proves that the tests can fail: each patch in test/mutants/ plants a bug in a copy of the checkout, and the test that its first line names
 * (`# caught by: <file>: <test name>`) must then fail, and must pass without it. The checkout itself is never touched.
 *
 *   npm run mutants [-- NAME…]     all patches, or those whose names contain one of the words
 */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";

const root = join(import.meta.dirname, "..");
/** What a copy of the checkout does without: history, what is linked instead, what is made. */
const notCopied = [".git", "node_modules", "dist", ".ostler"];

interface Mutant {
  readonly name: string;
  readonly patch: string;
  readonly file: string;
  readonly test: string;
}

const Report = z.object({
  testResults: z.array(z.object({ assertionResults: z.array(z.object({ title: z.string(), fullName: z.string(), status: z.string() })) })),
});

function readMutant(patch: string): Mutant {
  const name = basename(patch, ".patch");
  const match = /^# caught by: (\S+\.test\.ts): (.+)$/m.exec(readFileSync(patch, "utf8").split("\n")[0] ?? "");
  if (!match?.[1] || !match[2]) throw new Error(`${patch}: the first line must be "# caught by: <file>: <test name>"`);
  return { name, patch, file: match[1], test: match[2] };
}

function copyCheckout(folder: string): void {
  const copied = readdirSync(root).filter((path) => !notCopied.includes(path));
  for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}

/** How the named test ended in this folder; undefined if there is no test of that name, or its file does not load. */
function statusOf({ file, test }: Mutant, folder: string): string | undefined {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const pattern = test.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = ["run", file, "-t", pattern, "--reporter=json", `--outputFile.json=${report}`];
  spawnSync(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), ...args], {
    cwd: folder,
    stdio: "ignore",
    timeout: 5 * 60_000,
  });
  const results = Report.parse(JSON.parse(readFileSync(report, "utf8"))).testResults.flatMap((result) => result.assertionResults);
  return results.find(
    ({ title, fullName, status }) => (title === test || fullName === test) && status !== "skipped" && status !== "pending",
  )?.status;
}

function patchFolder({ patch }: Mutant, folder: string, ...flags: string[]): boolean {
  return spawnSync("git", ["apply", ...flags, patch], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

/** What came of it: only `caught` is good. */
function judge(mutant: Mutant, folder: string): string {
  const before = statusOf(mutant, folder);
  if (before === undefined) return "no such test";
  if (before !== "passed") return "the test fails without the bug";
  if (!patchFolder(mutant, folder)) return "the patch does not apply";
  const after = statusOf(mutant, folder);
  if (!patchFolder(mutant, folder, "--reverse")) throw new Error(`cannot take ${mutant.name} back`);
  return after === "failed" ? "caught" : after === undefined ? "breaks the file instead of the test" : "survived";
}

const words = process.argv.slice(2);
const mutants = globSync("test/mutants/*.patch", { cwd: root })
  .sort()
  .map((patch) => readMutant(join(root, patch)))
  .filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (mutants.length === 0) throw new Error("no patches in test/mutants/ match");

const folder = mkdtempSync(join(tmpdir(), "ostler-mutants-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
copyCheckout(folder);

const width = Math.max(...mutants.map(({ name }) => name.length));
let survivors = 0;
for (const mutant of mutants) {
  const verdict = judge(mutant, folder);
  if (verdict !== "caught") survivors += 1;
  console.log(`${mutant.name.padEnd(width)}  ${verdict.padEnd(8)}  ${mutant.file}: ${mutant.test}`);
}
console.log(`${mutants.length - survivors} of ${mutants.length} planted bugs were caught`);
process.exitCode = survivors === 0 ? 0 : 1;
