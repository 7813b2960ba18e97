import { decode as decodePool } from "../actors/pool/record.ts";
import { compareRequests, type PoolState, slotsOf } from "../actors/pool/state.ts";
import { decode as decodeRootGroup } from "../actors/root-group/record.ts";
import { compareQueued } from "../actors/root-group/state.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { Run } from "../runs/run.ts";
import { isTerminalPhase } from "../runs/states.ts";
import { isActive } from "../runs/task.ts";
import { type PoolSummary, type QueueSummary, unknownContext, type WaitingContext } from "../runs/waiting-context.ts";

/** A longer backlog is not read to tell a position in it: the message is clear without, and reading it would not be cheap. */
const maxBacklog = 2_000;

type Hash = Readonly<Record<string, string>>;

/** Pools that tasks of the run have been asked of, or are placed in. */
function poolsOf({ graph, tasks }: Run): string[] {
  return [...new Set(graph.tasks.flatMap(({ index, pool }) => (tasks[index] && isActive(tasks[index]) ? [pool] : [])))];
}

/** Positions of this run's tasks among the requests of the same requirement. Root groups take turns, so it is about, not exactly, when. */
function positionsIn(pool: PoolState, runId: string): Readonly<Record<number, number>> {
  const before = new Map<string, number>();
  const positions: Record<number, number> = {};
  for (const request of [...pool.waiting.values()].map((waiting) => waiting.request).sort(compareRequests)) {
    const position = (before.get(request.class) ?? 0) + 1;
    before.set(request.class, position);
    if (request.run === runId) positions[request.task] = position;
  }
  return positions;
}

function summarisePool(id: string, runId: string, parts: readonly [ready: Hash, live: Hash, executors: Hash]): PoolSummary {
  const pool = decodePool(id, { state: null, parts });
  return {
    executors: [...pool.executors.values()].map(({ description, ...executor }) => ({
      id: description.id,
      life: executor.life,
      archs: description.archs,
      labels: description.labels,
      allowPrivileged: description.allowPrivileged,
      slots: slotsOf({ ...executor, description }),
      careful: executor.life === "active" && slotsOf({ ...executor, description }) < description.taskLimit,
      liveAssignments: executor.live,
    })),
    positions: positionsIn(pool, runId),
  };
}

function summariseQueue({ facts, stored }: Run, runs: Hash): QueueSummary | undefined {
  const { concurrency } = stored.definition;
  if (!concurrency) return undefined;
  const { key, limit = 1 } = concurrency;
  const root = decodeRootGroup(facts.root, { state: null, parts: [runs] });
  const holders = [...root.holders.values()].filter((holder) => holder.key === key).map((holder) => holder.run);
  const queue = [...root.queued.values()].filter((queued) => queued.concurrency?.key === key && !queued.cancelled).sort(compareQueued);
  const position = queue.findIndex((queued) => queued.run === facts.id);
  return { key, limit, holders, position: position === -1 ? undefined : position + 1 };
}

/** What explains why a run and its tasks wait, read in one round trip, and a second one for positions in short backlogs. */
export async function readWaitingContext(redis: RedisConnection, keys: Keys, run: Run): Promise<WaitingContext> {
  const { phase } = run.head;
  if (isTerminalPhase(phase)) return unknownContext;
  const waitsForKey = phase === "queued" && run.stored.definition.concurrency !== undefined;
  const pools = poolsOf(run);
  // Commands that are sent together travel together.
  const [maintenance, runs, read] = await Promise.all([
    redis.hget(keys.meta, "maintenance"),
    waitsForKey ? redis.hgetall(keys.rootGroupRuns(run.facts.root)) : {},
    Promise.all(
      pools.map(async (id) => {
        const [backlog, live, executors] = await Promise.all([
          redis.hlen(keys.poolReady(id)),
          redis.hgetall(keys.poolLive(id)),
          redis.hgetall(keys.poolExecutors(id)),
        ]);
        const ready = backlog > 0 && backlog <= maxBacklog ? await redis.hgetall(keys.poolReady(id)) : {};
        return [id, summarisePool(id, run.facts.id, [ready, live, executors])] as const;
      }),
    ),
  ]);
  const queue = waitsForKey ? summariseQueue(run, runs) : undefined;
  return { maintenance: maintenance === "1", pools: Object.fromEntries(read), ...(queue && { queue }) };
}
