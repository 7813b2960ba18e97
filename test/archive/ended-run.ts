import { createRunIds, rootOf } from "../../src/ids.ts";
import type { RedisConnection } from "../../src/redis/connection.ts";
import { encodeDefinition } from "../../src/redis/definition-codec.ts";
import type { Keys } from "../../src/redis/keys.ts";
import { compileGraph } from "../../src/runs/graph.ts";
import { parseDefinition } from "../../src/runs/parse-definition.ts";
import { encodeState, encodeTaskText } from "../../src/runs/record.ts";
import type { Run, RunHead } from "../../src/runs/run.ts";
import type { StoredDefinition } from "../../src/runs/stored-definition.ts";
import type { EndedAttempt, TaskState } from "../../src/runs/task.ts";
import type { RunEvent } from "../../src/runs/view.ts";

const nextId = createRunIds();

export const createdAt = Date.parse("2026-11-23T12:00:00.000Z");
export const finishedAt = createdAt + 60_000;

/** An attempt of two steps that went well, its logs stored. */
export const success: EndedAttempt = {
  phase: "success",
  queuedAt: createdAt,
  assignedAt: createdAt,
  startedAt: createdAt,
  finishedAt,
  executor: "e1",
  ranStep: true,
  setup: { phase: "success", logSize: 0, logComplete: true },
  steps: [
    { phase: "success", exitCode: 0, logSize: 0, logComplete: true },
    { phase: "success", exitCode: 0, logSize: 0, logComplete: true },
  ],
};

/** Its executor was lost while the first step ran. */
export const lost: EndedAttempt = {
  ...success,
  phase: "failed",
  reason: "executor_lost",
  setup: { phase: "success", logSize: 0, logComplete: true },
  steps: [{ phase: "running", logSize: 0 }],
};

export interface RunOptions {
  /** By name; each task has two steps. */
  readonly tasks: Readonly<Record<string, readonly EndedAttempt[]>>;
  readonly number?: number;
  readonly restart?: StoredDefinition["restart"];
  readonly head?: Partial<RunHead>;
}

export function endedRun({ tasks, number = 1, restart, head = {} }: RunOptions): Run {
  const id = nextId({ timeMs: createdAt, shard: 3 });
  const group = "/project/web/branch/main";
  const definition = parseDefinition({
    name: "build",
    group,
    environment: { TOKEN: { secret: "v1:sealed" } },
    tasks: Object.fromEntries(
      Object.keys(tasks).map((name) => [name, { image: "node:24", steps: ["one", "two"].map((run) => ({ run })) }]),
    ),
  });
  const stored: StoredDefinition = { version: 1, runId: id, group, number, createdAt, definition, ...(restart ? { restart } : {}) };
  const facts: Run["facts"] = { id, number, group, name: "build", createdAt, phase: "queued", root: rootOf(group) };
  const graph = compileGraph(definition);
  const states = graph.tasks.map(({ name }): TaskState => {
    if (restart?.kept[name]) return { stage: "ended", status: "success", finishedAt, attempts: [], kept: true };
    const attempts = tasks[name] ?? [];
    const last = attempts.at(-1);
    return { stage: "ended", status: last?.phase ?? "skipped", finishedAt, attempts, ...(last?.reason ? { reason: last.reason } : {}) };
  });
  return {
    stored,
    facts,
    graph,
    head: { created: true, phase: "finished", result: "success", seq: 4, startedAt: createdAt, finishedAt, ...head },
    tasks: states,
  };
}

export function eventsOf(run: Run): RunEvent[] {
  const base = { runId: run.facts.id, at: new Date(createdAt).toISOString(), type: "run" } as const;
  const pairs = [
    ["queued", "unknown"],
    ["running", "unknown"],
    ["running", "success"],
    ["finished", "success"],
  ] as const;
  return pairs.map(([phase, result], i) => ({ ...base, id: `${run.facts.id}-${i + 1}`, seq: i + 1, phase, result }));
}

/** Puts the run into Redis as the create script and the owner's commits would have left it. */
export async function placeRun(redis: RedisConnection, keys: Keys, run: Run): Promise<void> {
  const { id, number, group, name, phase, root } = run.facts;
  const { number: _, ...stored } = run.stored;
  await redis.hset(keys.run(id), { number, group, name, createdAt, phase, root, history: "h1" });
  await redis.set(keys.runDefinition(id), encodeDefinition(JSON.stringify(stored)));
  await redis.hset(
    keys.state(3),
    `run/${id}`,
    encodeState(
      run,
      run.tasks.map((task) => encodeTaskText(task, createdAt)),
    ),
  );
  for (const event of eventsOf(run)) await redis.rpush(keys.runEvents(id), JSON.stringify([event]));
}

/** What the commit that handles `archived` leaves of it. */
export async function forgetRun(redis: RedisConnection, keys: Keys, run: Run): Promise<void> {
  const { id, number } = run.facts;
  await redis.del(keys.run(id), keys.runDefinition(id), keys.runEvents(id), keys.runTasks(id));
  await redis.hdel(keys.state(3), `run/${id}`);
  await redis.hset(keys.run(id), "archived", finishedAt + 900_000, "number", number);
}
