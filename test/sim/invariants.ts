import { parseAssignmentId } from "../../src/ids.ts";
import type { Archive } from "./archiver.ts";
import { type KnownRun, limitOf } from "./client.ts";
import type { SimulatedExecutor } from "./executor.ts";
import { eventsOf, type RunHistory, readHistory } from "./history.ts";
import type { Surroundings } from "./surroundings.ts";

export interface WorldView {
  readonly world: Surroundings;
  readonly runs: ReadonlyMap<string, KnownRun>;
  readonly executors: readonly SimulatedExecutor[];
  readonly pools: readonly string[];
  readonly archive: Archive;
}

/** What must hold after every commit, whatever went wrong before. */
export function createInvariants({ world, runs, executors, pools, archive }: WorldView) {
  const { redis, keys } = world;
  const limits = new Map(executors.map(({ description }) => [description.id, description.taskLimit]));
  const read = new Map<string, { readonly events: string; readonly history: RunHistory }>();

  const historyOf = (run: KnownRun): RunHistory | undefined => {
    const archived = archive.get(run.id);
    const entries = archived ?? redis.commands.list(keys.runEvents(run.id));
    // Nothing of it is there: a creation that Redis has lost before anybody saw it.
    if (entries.length === 0) return undefined;
    const events = `${archived ? "archived" : "live"} ${entries.length} ${entries.at(-1)}`;
    const known = read.get(run.id);
    if (known?.events === events) return known.history;
    const history = readHistory(run.graph, archived ?? eventsOf(redis, keys, run.id));
    read.set(run.id, { events, history });
    return history;
  };

  const checkPools = () => {
    for (const pool of pools) {
      const tasks = new Set<string>();
      const load = new Map<string, number>();
      for (const [assignment, executor] of redis.commands.hash(keys.poolLive(pool))) {
        const { runId, task } = parseAssignmentId(assignment) ?? { runId: "?", task: -1 };
        if (tasks.has(`${runId}-${task}`)) throw new Error(`A4: task ${runId}-${task} has two live assignments`);
        tasks.add(`${runId}-${task}`);
        load.set(executor, (load.get(executor) ?? 0) + 1);
      }
      for (const [executor, live] of load) {
        if (live > (limits.get(executor) ?? 0)) throw new Error(`A8: ${executor} has ${live} live assignments`);
      }
    }
  };

  const checkKeys = () => {
    const running = new Map<string, number>();
    for (const run of runs.values()) {
      const { concurrency } = run.definition;
      if (!concurrency || archive.has(run.id) || !historyOf(run)?.isRunning) continue;
      const key = `${run.root} ${concurrency.key}`;
      running.set(key, (running.get(key) ?? 0) + 1);
      if ((running.get(key) ?? 0) > limitOf(concurrency.key)) throw new Error(`the key ${key} is held by more runs than its limit`);
    }
  };

  return {
    check: () => {
      checkPools();
      for (const run of runs.values()) historyOf(run);
      checkKeys();
    },
    isOver: () => [...runs.values()].every((run) => historyOf(run)?.isOver ?? true),
    /** Runs that have not ended, for people. */
    open: () => [...runs.values()].filter((run) => historyOf(run)?.isOver === false),
    /** What is still booked somewhere although every run has ended. */
    leaks: (): readonly string[] => {
      const found: string[] = [];
      const note = (what: string, entries: Iterable<string>) => {
        for (const entry of entries) found.push(`${what}: ${entry}`);
      };
      for (const pool of pools) {
        note(`live in pool ${pool}`, redis.commands.hash(keys.poolLive(pool)).keys());
        note(`waits in pool ${pool}`, redis.commands.hash(keys.poolReady(pool)).keys());
      }
      for (const { description } of executors) {
        note(`todo of ${description.id}`, redis.commands.hash(keys.executorTodo(description.id)).keys());
        note(`held by ${description.id}`, redis.commands.hash(keys.executorHeld(description.id)).keys());
      }
      for (let shard = 0; shard < world.shards; shard++) {
        note("recorded effect", redis.commands.hash(keys.effects(shard)).keys());
        const kept = [...redis.commands.hash(keys.state(shard)).keys()];
        note(
          "state",
          kept.filter((actor) => actor.startsWith("root-group/") || actor.startsWith("run/")),
        );
        note(
          "dead letter",
          redis.commands.entries(keys.dead(shard)).map(({ fields }) => fields.join(" ")),
        );
      }
      return found;
    },
  };
}
