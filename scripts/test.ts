/** Runs the tests and ends with one plain line that says how many passed and failed, for whoever reads the output by machine. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const root = join(import.meta.dirname, "..");

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })) })),
});

/** What needs a platform that no machine of ours can install: skipped where it is not, even where nothing else may be. */
const maySkip = /a real cluster/;

/** A file fails without a failed test of its own where it cannot be loaded, or what its tests need cannot be started. */
function countBroken({ testResults }: z.infer<typeof Report>): number {
  const broken = testResults.filter((file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"));
  return broken.length;
}

/** Under CI=true a test that did not run is one that failed. A selection by name or file leaves others out, and is none of it. */
function findMissed(report: z.infer<typeof Report>): readonly string[] {
  if (process.env["CI"] !== "true" || process.argv.length > 2) return [];
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.flatMap(({ status, fullName }) => (["passed", "failed"].includes(status) || maySkip.test(fullName) ? [] : [fullName]));
}

const folder = mkdtempSync(join(tmpdir(), "ostler-tests-"));
const reportPath = join(folder, "report.json");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", ...reporters, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
try {
  const report = Report.parse(JSON.parse(readFileSync(reportPath, "utf8")));
  const missed = findMissed(report);
  for (const name of missed) console.error(`skipped, which CI=true does not allow: ${name}`);
  const failed = report.numFailedTests + countBroken(report) + missed.length;
  const pending = report.numPendingTests - missed.length;
  const skipped = pending > 0 ? `, ${pending} skipped` : "";
  console.log(`${report.numPassedTests} passed, ${failed} failed${skipped}`);
  const nothingRan = report.numPassedTests + failed === 0;
  process.exitCode = status === 0 && failed === 0 && !nothingRan ? 0 : status || 1;
} catch (error) {
  console.error(`the tests left no report: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = status || 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
