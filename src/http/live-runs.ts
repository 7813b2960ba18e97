import { type ErrorCode, OstlerError } from "../errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { parseRunHash } from "../runs/facts.ts";
import type { FindRun } from "./find-run.ts";
import { runNotFound } from "./parameters.ts";

/** Whether a run still has an actor, which alone decides what becomes of it. */
export interface LiveRuns {
  readonly isLive: (runId: string) => Promise<boolean>;
  /** Throws `run_not_found`, or the 409 of the verb for an archived run: nobody is there who could answer. */
  readonly assertLive: (runId: string, verb: string) => Promise<void>;
}

const refusals: Readonly<Record<string, ErrorCode>> = {
  stop: "run_not_running",
  cancel: "run_not_queued",
  approve: "not_waiting_approval",
  reject: "not_waiting_approval",
};

export function createLiveRuns({
  redis,
  keys,
  findRun,
}: {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly findRun: FindRun;
}): LiveRuns {
  const isLive = async (runId: string) => parseRunHash(runId, await redis.hgetall(keys.run(runId))).type === "known";
  return {
    isLive,
    assertLive: async (runId, verb) => {
      if (await isLive(runId)) return;
      const run = await findRun(runId);
      if (!run) throw runNotFound(runId);
      const { phase } = run.view;
      throw new OstlerError(refusals[verb] ?? "conflict", `the run has ended (${phase}), there is nothing to ${verb}`, {
        details: { phase },
      });
    },
  };
}
