import type { RedisConnection } from "../redis/connection.ts";
import { decodeDefinition } from "../redis/definition-codec.ts";
import type { Keys } from "../redis/keys.ts";
import { compileGraph, type Graph } from "../runs/graph.ts";
import { StoredDefinition } from "../runs/stored-definition.ts";

/** What does not change of a run: all that most attempts need to know of it. */
export interface RunPlan {
  readonly runId: string;
  readonly number: string;
  readonly stored: StoredDefinition;
  readonly graph: Graph;
}

/** Plans of the runs that are being worked on; a definition of a hundred thousand tasks must not be read for each of them. */
const maxPlans = 200;

/** Reads each run's definition once. Undefined for a run that Redis does not know. */
export function createRunPlans(redis: RedisConnection, keys: Keys): (runId: string) => Promise<RunPlan | undefined> {
  const plans = new Map<string, Promise<RunPlan | undefined>>();
  return (runId) => {
    const known = plans.get(runId);
    if (known) {
      plans.delete(runId);
      plans.set(runId, known);
      return known;
    }
    const reading = readPlan(redis, keys, runId).catch((error: unknown) => {
      plans.delete(runId);
      throw error;
    });
    plans.set(runId, reading);
    const [oldest] = plans.keys();
    if (plans.size > maxPlans && oldest !== undefined) plans.delete(oldest);
    return reading;
  };
}

async function readPlan(redis: RedisConnection, keys: Keys, runId: string): Promise<RunPlan | undefined> {
  const [encoded, number] = await Promise.all([redis.get(keys.runDefinition(runId)), redis.hget(keys.run(runId), "number")]);
  if (encoded === null || number === null) return undefined;
  const stored = StoredDefinition.parse(JSON.parse(decodeDefinition(encoded)));
  return { runId, number, stored, graph: compileGraph(stored.definition) };
}
