/**
 * Proves that the tests can fail: each patch in test/mutants/ plants a bug in a copy of the checkout, and the test that its first line names
 * (`# caught by: <file>: <test name>`) must then fail. That it passes without the bug is what the tests themselves show.
 * The checkout is never touched.
 *
 *   npm run mutants [-- NAME…]     all patches, or those whose names contain one of the words
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";

const root = join(import.meta.dirname, "..");
/** What a copy of the checkout does without: history, what is linked instead, what is made. */
const notCopied = [".git", "node_modules", "dist", ".ostler"];
const testTimeoutMs = 2 * 60_000;

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
  const match = /^# caught by: (\S+\.test\.ts): (.+)$/.exec(readFileSync(patch, "utf8").split("\n")[0] ?? "");
  if (!match?.[1] || !match[2]) throw new Error(`${patch}: the first line must be "# caught by: <file>: <test name>"`);
  return { name: basename(patch, ".patch"), patch, file: match[1], test: match[2] };
}

function copyCheckout(folder: string): void {
  mkdirSync(folder);
  const copied = readdirSync(root).filter((path) => !notCopied.includes(path));
  for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}

/** How the named test ended in this folder; undefined if no test of that name ran, because there is none or its file does not load. */
async function statusOf({ file, test }: Mutant, folder: string): Promise<string | undefined> {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const pattern = test.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = ["run", file, "-t", pattern, "--reporter=json", `--outputFile.json=${report}`];
  const runner = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), ...args], {
    cwd: folder,
    stdio: "ignore",
    timeout: testTimeoutMs,
  });
  await once(runner, "exit");
  if (!existsSync(report)) return undefined;
  const results = Report.parse(JSON.parse(readFileSync(report, "utf8"))).testResults.flatMap((result) => result.assertionResults);
  const named = results.filter(({ title, fullName }) => title === test || fullName === test);
  return named.find(({ status }) => status === "failed" || status === "passed")?.status;
}

async function apply({ patch }: Mutant, folder: string, ...flags: string[]): Promise<boolean> {
  const [code] = await once(spawn("git", ["apply", ...flags, patch], { cwd: folder, stdio: "ignore" }), "exit");
  return code === 0;
}

/** What came of it: only `caught` is good. */
async function judge(mutant: Mutant, folder: string): Promise<string> {
  if (!(await apply(mutant, folder))) return "the patch does not apply";
  const status = await statusOf(mutant, folder);
  if (!(await apply(mutant, folder, "--reverse"))) throw new Error(`cannot take ${mutant.name} back`);
  return status === "failed" ? "caught" : status === undefined ? "no such test ran" : "survived";
}

const words = process.argv.slice(2);
const mutants = globSync("test/mutants/*.patch", { cwd: root })
  .sort()
  .map((patch) => readMutant(join(root, patch)))
  .filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (mutants.length === 0) throw new Error("no patches in test/mutants/ match");

const copies = mkdtempSync(join(tmpdir(), "ostler-mutants-"));
process.on("exit", () => rmSync(copies, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const width = Math.max(...mutants.map(({ name }) => name.length));
const waiting = mutants.values();
let caught = 0;
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), mutants.length) }, async (_, worker) => {
    const folder = join(copies, String(worker));
    copyCheckout(folder);
    for (const mutant of waiting) {
      const verdict = await judge(mutant, folder);
      if (verdict === "caught") caught += 1;
      console.log(`${mutant.name.padEnd(width)}  ${verdict.padEnd(8)}  ${mutant.file}: ${mutant.test}`);
    }
  }),
);
console.log(`${caught} of ${mutants.length} planted bugs were caught`);
process.exitCode = caught === mutants.length ? 0 : 1;
