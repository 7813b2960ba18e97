import type { HopFigures } from "./hop.ts";
import type { MemoryFigures } from "./memory.ts";

interface Row {
  readonly contender: string;
  readonly shape: string;
  readonly tasksPerSecond: number;
  readonly redisCpuUs: number;
  readonly nodeCpuUs: number;
  readonly cpuUs: number;
  readonly commands: number;
  readonly archiveCpuUs: number | null;
}

export interface Report {
  readonly figures: readonly Row[];
  readonly hops: readonly HopFigures[];
  readonly memory: readonly MemoryFigures[];
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
}

function line(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  line(head);
  line(head.map(() => "---"));
  rows.forEach(line);
  process.stdout.write("\n");
}

/** Prints the report as Markdown tables. */
export function printTable({ figures, hops, memory, machine }: Report): void {
  process.stdout.write(`${machine.cores} cores, ${machine.cpu}, Node ${machine.node}\n\n`);
  table(
    ["shape", "", "tasks/s", "CPU µs/task", "of it Redis", "Node", "Redis commands/task", "archiving µs/task"],
    figures.map((row) => [
      row.shape,
      row.contender,
      String(row.tasksPerSecond),
      row.cpuUs.toFixed(0),
      row.redisCpuUs.toFixed(0),
      row.nodeCpuUs.toFixed(0),
      row.commands.toFixed(1),
      row.archiveCpuUs === null ? "" : row.archiveCpuUs.toFixed(0),
    ]),
  );
  table(
    ["hop, appendfsync", "p50 ms", "p99 ms", "hops"],
    hops.map(({ fsync, p50Ms, p99Ms, count }) => [fsync, p50Ms.toFixed(2), p99Ms.toFixed(2), String(count)]),
  );
  table(
    ["Redis per finished run", "tasks", "bytes", "definition and events apart", "once archived"],
    memory.map(({ shape, tasks, bytes, withoutHistory, archived }) => [
      shape,
      String(tasks),
      bytes.toFixed(0),
      withoutHistory.toFixed(0),
      archived.toFixed(0),
    ]),
  );
}
