/**
 * Measures ostler beside raw BullMQ and BullMQ's flows: the same number of tasks that do nothing, on the same server, in turn.
 *
 *   npm run bench [-- --rounds 5] [--tasks 5000] [--only chain-10,hop] [--json FILE]
 *
 * Figures are medians over the rounds. Times on a shared machine swing; CPU per task and commands per task do not.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { startRedis, type TestRedis } from "../test/support/redis.ts";
import { type HopFigures, measureHops } from "./hop.ts";
import { type MemoryFigures, measureMemory } from "./memory.ts";
import { startInstallation } from "./ostler/installation.ts";
import { runBullmq } from "./peers/bullmq.ts";
import { median } from "./quantile.ts";
import { printTable } from "./report.ts";
import { type Shape, taskCount } from "./shapes.ts";
import type { Usage } from "./usage.ts";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    tasks: { type: "string", default: "5000" },
    only: { type: "string", default: "" },
    json: { type: "string", default: "bench-result.json" },
  },
});
const rounds = Number(flags.rounds);
const tasks = Number(flags.tasks);
const only = flags.only === "" ? [] : flags.only.split(",");
const isWanted = (name: string) => only.length === 0 || only.includes(name);

/** Nobody waits for the disk here: what is compared is work, and every contender has the same server. */
const fast = ["--appendonly", "yes", "--appendfsync", "no"];
const durable = ["--appendonly", "yes", "--appendfsync", "always"];

interface Figures {
  readonly contender: string;
  readonly shape: string;
  readonly tasks: number;
  readonly tasksPerSecond: number;
  readonly redisCpuUs: number;
  readonly nodeCpuUs: number;
  readonly cpuUs: number;
  readonly commands: number;
  readonly archiveCpuUs: number | null;
}

function figuresOf(contender: string, shape: string, count: number, usages: readonly Usage[], archives: readonly Usage[] = []): Figures {
  const perTask = (pick: (usage: Usage) => number, of = usages) => median(of.map((usage) => pick(usage) / count));
  return {
    contender,
    shape,
    tasks: count,
    tasksPerSecond: Math.round(median(usages.map(({ wallMs }) => (count / wallMs) * 1000))),
    redisCpuUs: perTask(({ redisCpuUs }) => redisCpuUs),
    nodeCpuUs: perTask(({ nodeCpuUs }) => nodeCpuUs),
    cpuUs: perTask(({ redisCpuUs, nodeCpuUs }) => redisCpuUs + nodeCpuUs),
    commands: perTask(({ commands }) => commands),
    archiveCpuUs: archives.length === 0 ? null : perTask(({ redisCpuUs, nodeCpuUs }) => redisCpuUs + nodeCpuUs, archives),
  };
}

/** The concurrency from which a BullMQ worker gets no faster. */
async function tuneConcurrency(server: TestRedis): Promise<number> {
  let best = { concurrency: 10, perSecond: 0 };
  for (const concurrency of [10, 50, 200, 500]) {
    const { wallMs } = await runBullmq(server, concurrency, { tasks: 4_000, request: { type: "jobs", count: 4_000 } });
    const perSecond = 4_000 / wallMs;
    if (perSecond > best.perSecond * 1.05) best = { concurrency, perSecond };
  }
  return best.concurrency;
}

async function ostlerRound(server: TestRedis, shape: Shape, runs: number): Promise<{ readonly usage: Usage; readonly archive: Usage }> {
  const installation = await startInstallation(server);
  try {
    // As long as what is measured: both engines are warm then, and so are the peers.
    await installation.run({ shape, runs: Math.max(1, Math.ceil(runs / 2)), concurrency: 50 });
    await installation.archive();
    const usage = await installation.run({ shape, runs, concurrency: 50 });
    return { usage, archive: await installation.archive() };
  } finally {
    await installation.close();
  }
}

/** Shapes that a flow can express too: it is a tree, so a diamond and a fan that begins with one task are not. */
const flowShapes: Partial<Record<Shape, { readonly shape: "chain" | "fan"; readonly size: number; readonly jobs: number }>> = {
  "chain-10": { shape: "chain", size: 10, jobs: 10 },
  "chain-1000": { shape: "chain", size: 1_000, jobs: 1_000 },
  "fan-1000": { shape: "fan", size: 1_000, jobs: 1_001 },
  "fan-20": { shape: "fan", size: 20, jobs: 21 },
};

/** A chain runs one task at a time: as many chains as keep everybody busy, however long they are. */
const leastChains = 50;

async function compareShape(server: TestRedis, shape: Shape, concurrency: number): Promise<readonly Figures[]> {
  const runs = Math.max(shape.startsWith("chain") ? leastChains : 1, Math.round(tasks / taskCount(shape)));
  const count = runs * taskCount(shape);
  const flow = flowShapes[shape];
  const flowCount = flow ? Math.max(1, Math.round(tasks / flow.jobs)) : 0;
  const [ours, archives, raw, flows]: [Usage[], Usage[], Usage[], Usage[]] = [[], [], [], []];
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`${shape}: round ${round} of ${rounds}\n`);
    const { usage, archive } = await ostlerRound(server, shape, runs);
    ours.push(usage);
    archives.push(archive);
    raw.push(await runBullmq(server, concurrency, { tasks: count, request: { type: "jobs", count } }));
    if (flow) {
      const request = { type: "flows", count: flowCount, shape: flow.shape, size: flow.size };
      flows.push(await runBullmq(server, concurrency, { tasks: flowCount * flow.jobs, request }));
    }
  }
  return [
    figuresOf("ostler", shape, count, ours, archives),
    figuresOf("BullMQ", shape, count, raw),
    ...(flow ? [figuresOf("BullMQ flows", shape, flowCount * flow.jobs, flows)] : []),
  ];
}

const shapes: readonly Shape[] = ["chain-10", "fan-20", "diamond", "chain-1000", "fan-1000"];
const figures: Figures[] = [];
const hops: HopFigures[] = [];
const memory: MemoryFigures[] = [];

const server = await startRedis(fast);
const concurrency = shapes.some(isWanted) ? await tuneConcurrency(server) : 0;
for (const shape of shapes.filter(isWanted)) figures.push(...(await compareShape(server, shape, concurrency)));
if (isWanted("memory")) memory.push(await measureMemory(server, "chain-10"));
if (isWanted("hop")) hops.push({ fsync: "never", ...(await measureHops(server)) });
await server.stop();

if (isWanted("hop")) {
  const synced = await startRedis(durable);
  hops.push({ fsync: "always", ...(await measureHops(synced)) });
  await synced.stop();
}

if (isWanted("fan-100000")) {
  const big = await startRedis(fast);
  const installation = await startInstallation(big);
  const usage = await installation.run({ shape: "fan-100000", runs: 1, concurrency: 1 });
  figures.push(figuresOf("ostler", "fan-100000", taskCount("fan-100000"), [usage]));
  process.stderr.write(`memory of the processes after it (MiB): ${installation.residentMiB().join(", ")}\n`);
  await installation.close();
  await big.stop();
}

const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
const settings = { rounds, tasks, bullmqConcurrency: concurrency, appendfsync: "no", rootGroups: 16, executorTaskLimit: 1_000 };
printTable({ figures, hops, memory, machine });
writeFileSync(flags.json, `${JSON.stringify({ at: new Date().toISOString(), machine, settings, figures, hops, memory }, null, 2)}\n`);
process.stderr.write(`written to ${flags.json}\n`);
process.exit(0);
