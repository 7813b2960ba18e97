import type { RedisConnection } from "../redis/connection.ts";
import { decodeDefinition } from "../redis/definition-codec.ts";
import type { Keys } from "../redis/keys.ts";
import { readRun } from "../redis/scripts/read-run.ts";
import { parseRunHash } from "../runs/facts.ts";
import { compileGraph, emptyGraph } from "../runs/graph.ts";
import { decodeRun } from "../runs/record.ts";
import { newRun, type Run } from "../runs/run.ts";
import { readStoredDefinition } from "../runs/stored-definition.ts";

/** A run as Redis holds it, with Redis's time (ms). `stored` has the run's number, as ost keeps it. */
export type LiveReading =
  | { readonly type: "live"; readonly run: Run; readonly now: number }
  /** Only its tombstone is left: it is in ost, or was deleted. */
  | { readonly type: "archived" }
  | { readonly type: "unknown" };

/** Reads a run with one script. The id must be well-formed. */
export async function readLiveRun(redis: RedisConnection, keys: Keys, runId: string): Promise<LiveReading> {
  const reading = await readRun(redis, keys, { runId, definition: true });
  if (reading.type !== "live") return reading;
  const hash = parseRunHash(runId, reading.facts);
  if (hash.type !== "known" || reading.definition === undefined) throw new Error(`the run ${runId} has no definition in Redis`);
  const { facts } = hash;
  const stored = { ...readStoredDefinition(decodeDefinition(reading.definition)), number: facts.number };
  const graph = facts.phase === "setuperror" ? emptyGraph : compileGraph(stored.definition);
  const given = { stored, facts, graph };
  const run = reading.state === null ? newRun(given) : decodeRun(given, reading.state, reading.tasks);
  return { type: "live", run, now: reading.now };
}
