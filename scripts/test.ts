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
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/** A file that could not even be loaded has no tests to count, and fails all the same. */
function countBroken(report: z.infer<typeof Report>): number {
  return report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
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
  const failed = report.numFailedTests + countBroken(report);
  const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : "";
  console.log(`${report.numPassedTests} passed, ${failed} failed${skipped}`);
  const nothingRan = report.numPassedTests + failed === 0;
  process.exitCode = status === 0 && failed === 0 && !nothingRan ? 0 : status || 1;
} catch (error) {
  console.error(`the tests left no report: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = status || 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
