import type { Registry } from "prom-client";
import { createInstallationGauges, createMetrics } from "../src/metrics.ts";

const head = `# Metrics

\`GET /metrics\` of any api process answers for the whole installation, in Prometheus's format: scrape one of them. Schedulers publish
what they count every ten seconds; what is read at the scrape is read by the process that answers.

The backlog of a pool (\`ostler_tasks_waiting\`) is the signal for an autoscaler; \`GET /api/v1/pools\` says the same as JSON.
`;

/** What a declared metric was made of; the library keeps it on the object, and does not say so in its types. */
interface Declared {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly upperBounds?: readonly number[];
}

function isDeclared(metric: object): metric is Declared {
  return "name" in metric && "help" in metric && "labelNames" in metric;
}

function row(metric: object): string {
  if (!isDeclared(metric)) throw new Error("the metrics library no longer tells names and labels");
  const labels = metric.labelNames.filter((label) => label !== "le").map((label) => `\`${label}\``);
  const buckets = metric.upperBounds ? metric.upperBounds.join(" ") : "";
  return `| \`${metric.name}\` | ${labels.join(", ")} | ${metric.help} | ${buckets} |`;
}

function table(registry: Registry): string {
  return ["| metric | labels | what it is | buckets |", "|---|---|---|---|", ...registry.getMetricsAsArray().map(row)].join("\n");
}

/** docs/metrics.md, from where metrics are declared. */
export function metricsPage(): string {
  return [
    head,
    "## Counted by each process\n",
    table(createMetrics().registry),
    "\n## Read at the scrape\n",
    table(createInstallationGauges().registry),
    "",
  ].join("\n");
}
