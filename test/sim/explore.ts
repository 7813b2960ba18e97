/**
 * Looks for worlds in which an invariant breaks, beyond the fixed ones of the tests.
 *
 *   node test/sim/explore.ts [--seeds 1000] [--from 1]     prints each seed that breaks something, and why
 *   node test/sim/explore.ts --seed 17                     one world, with the owners' logs
 */
import { parseArgs } from "node:util";
import pino from "pino";
import { simulate } from "./world.ts";

const { values } = parseArgs({ options: { seeds: { type: "string" }, from: { type: "string" }, seed: { type: "string" } } });
const only = values.seed === undefined ? undefined : Number(values.seed);
const from = only ?? Number(values.from ?? 1);
const seeds = only === undefined ? Number(values.seeds ?? 1_000) : 1;
const log = pino({ level: only === undefined ? "silent" : "debug" });

const say = (line: string) => process.stdout.write(`${line}\n`);

let broken = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const started = performance.now();
  try {
    const { runs, commits, simulatedMs } = await simulate({ seed, log });
    const took = `${((performance.now() - started) / 1_000).toFixed(1)} s`;
    if (only !== undefined) say(`seed ${seed}: ${runs} runs, ${commits} commits, ${simulatedMs / 1_000} s in ${took}`);
  } catch (error) {
    broken += 1;
    say(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
say(`${seeds} worlds, ${broken} broken`);
process.exitCode = broken === 0 ? 0 : 1;
