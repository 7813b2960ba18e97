import { parseArgs } from "node:util";
import { exitCode } from "../cli/exit-code.ts";
import { findingLines, findingSummary } from "../cli/finding-lines.ts";
import { dataText } from "../cli/show.ts";
import type { Shell } from "../cli/terminal.ts";
import { paintFor } from "../cli/text/colour.ts";
import { ConfigError, parseConfig } from "../config.ts";
import { driverChecks } from "../executors/doctor.ts";
import { examine } from "./examine.ts";
import { worstState } from "./finding.ts";
import { serverChecks } from "./server-checks.ts";

/** A pull of a helper image over a slow line takes this long. */
const limitMs = 60_000;

const help = `Usage: ostler doctor [-o table|json|yaml] [--flag value]…

Checks what \`ostler serve\` with the same settings and flags would depend on, here and now: Redis, object storage, clocks, and the platform
of the driver (\`--driver docker\`). Run it where the executor runs. It starts nothing and leaves nothing behind.

Exits with 0 if nothing failed (warnings are no failures), with 1 if something did, with 2 where settings are wrong.
docs/settings.md says what the flags are; docs/drivers.md what each driver needs.
`;

/** Runs `ostler doctor` with the arguments after the verb, and gives back its exit code. */
export async function runDoctor({ argv, env, stdout, stderr, signal }: Omit<Shell, "stdin" | "now">): Promise<number> {
  const { format, rest } = takeFormat(argv, env);
  if (rest.includes("--help") || rest.includes("-h")) {
    stdout.write(help);
    return exitCode.success;
  }
  if (format !== "table" && format !== "json" && format !== "yaml") {
    stderr.write(`ostler doctor: -o takes table, json or yaml, not ${format}\n`);
    return exitCode.usage;
  }
  try {
    const config = parseConfig({ env, argv: rest });
    const checks = [...serverChecks(config), ...(await driverChecks(config))];
    const findings = await examine(checks, limitMs, signal);
    if (format === "table") for (const line of findingLines(findings, paintFor(stdout))) stdout.write(`${line}\n`);
    else stdout.write(`${await dataText(format, { state: worstState(findings), checks: findings })}\n`);
    stderr.write(`${findingSummary(findings)}\n`);
    return worstState(findings) === "failed" ? exitCode.error : exitCode.success;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) stderr.write(`ostler doctor: ${fault}\n`);
    return exitCode.usage;
  }
}

/** Takes `-o FORMAT` out of the arguments; what remains is for the settings of `serve`. */
function takeFormat(argv: readonly string[], env: Shell["env"]): { readonly format: string; readonly rest: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: { "output-format": { type: "string", short: "o" } },
    strict: false,
    tokens: true,
  });
  const given = tokens.flatMap((token) => (token.kind === "option" && token.name === "output-format" ? [token] : []));
  const taken = new Set(given.flatMap(({ index, inlineValue }) => (inlineValue ? [index] : [index, index + 1])));
  const last = given.at(-1);
  return { format: last?.value ?? env["OSTLER_OUTPUT_FORMAT"] ?? "table", rest: argv.filter((_, i) => !taken.has(i)) };
}
