import type { RedisConnection } from "../redis/connection.ts";
import { decodeDefinition } from "../redis/definition-codec.ts";
import type { Keys } from "../redis/keys.ts";
import { compileGraph, type Graph } from "../runs/graph.ts";
import { readStoredDefinition, type StoredDefinition } from "../runs/stored-definition.ts";

/** What does not change of a run: all that most attempts need to know of it. */
export interface RunPlan {
  readonly runId: string;
  readonly number: string;
  readonly stored: StoredDefinition;
  readonly graph: Graph;
}

/** Plans are kept for at most so many runs, and so many tasks of them: a definition of a hundred thousand must not be read for each. */
const maxPlans = 5_000;
const maxTasks = 200_000;

/** Reads each run's definition once. Undefined for a run that Redis does not know. */
export function createRunPlans(redis: RedisConnection, keys: Keys): (runId: string) => Promise<RunPlan | undefined> {
  const plans = new Map<string, { readonly reading: Promise<RunPlan | undefined>; tasks: number }>();

  let tasks = 0;

  const forget = (runId: string) => {
    tasks -= plans.get(runId)?.tasks ?? 0;
    plans.delete(runId);
  };

  const trim = () => {
    for (const runId of plans.keys()) {
      if (plans.size <= 1 || (plans.size <= maxPlans && tasks <= maxTasks)) return;
      forget(runId);
    }
  };

  const read = (runId: string) => {
    const kept = {
      tasks: 0,
      reading: readPlan(redis, keys, runId).then(
        (plan) => {
          if (plan && plans.get(runId) === kept) {
            kept.tasks = plan.graph.tasks.length;
            tasks += kept.tasks;
          } else forget(runId);
          trim();
          return plan;
        },
        (error: unknown) => {
          forget(runId);
          throw error;
        },
      ),
    };
    return kept;
  };

  return (runId) => {
    const kept = plans.get(runId) ?? read(runId);
    // The one that was used last goes last.
    plans.delete(runId);
    plans.set(runId, kept);
    return kept.reading;
  };
}

async function readPlan(redis: RedisConnection, keys: Keys, runId: string): Promise<RunPlan | undefined> {
  const [encoded, number] = await Promise.all([redis.get(keys.runDefinition(runId)), redis.hget(keys.run(runId), "number")]);
  if (encoded === null || number === null) return undefined;
  const stored = readStoredDefinition(decodeDefinition(encoded));
  return { runId, number, stored, graph: compileGraph(stored.definition) };
}
