import type { AddWork } from "../../src/actors/outlets.ts";
import { parseRunId } from "../../src/ids.ts";
import { eventsOf } from "./history.ts";
import type { Surroundings } from "./surroundings.ts";

/** Object storage, as far as the simulation needs it: the events of archived runs. It survives every loss of Redis. */
export type Archive = Map<string, readonly string[]>;

/** Takes recorded work from the owners, does it after a while, and tells the run. Losing or repeating a job is harmless. */
export function createArchiver(world: Surroundings, archive: Archive): AddWork {
  const { redis, keys, timeline, chance } = world;
  const tell = (runId: string, type: string) => {
    const shard = parseRunId(runId)?.shard ?? 0;
    redis.commands.xadd(keys.inbox(shard), "m", JSON.stringify([[`run/${runId}`, { type }]]));
  };
  const done = { "write-definition": "definition-written", archive: "archived", "delete-run": "deleted" } as const;
  return async (type, runs) => {
    if (chance.happens(world.faults.loseWake)) return;
    timeline.after(chance.between(10, 2_000), () => {
      if (!redis.isUp()) return;
      for (const runId of runs) {
        if (type === "archive" && !archive.has(runId)) archive.set(runId, eventsOf(redis, keys, runId));
        tell(runId, done[type]);
      }
    });
  };
}
