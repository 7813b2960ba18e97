import { createRunIds, rootOf, shardOfRoot } from "../../src/ids.ts";
import { encodeDefinition } from "../../src/redis/definition-codec.ts";
import type { Definition, TaskDefinition } from "../../src/runs/definition.ts";
import { compileGraph, type Graph, runQueueTimeoutMs } from "../../src/runs/graph.ts";
import type { Surroundings } from "./surroundings.ts";

export interface KnownRun {
  readonly id: string;
  readonly root: string;
  readonly graph: Graph;
  readonly definition: Definition;
}

/** Creates runs and sends commands, as the api does. Needs no owner. */
export interface Client {
  readonly create: () => KnownRun | undefined;
  readonly command: (run: KnownRun, message: Readonly<Record<string, unknown>>) => void;
}

export const roots = ["/a/web", "/b/api", "/c/tools"] as const;
const conditions = ["on_success", "on_success", "on_success", "on_failure", "on_skipped", "always"] as const;

export function createClient(world: Surroundings): Client {
  const { redis, keys, chance, shards } = world;
  const nextId = createRunIds();
  let requests = 0;

  const task = (index: number): TaskDefinition => {
    const parents = Array.from({ length: index }, (_, parent) => parent).filter(() => chance.happens(0.45));
    return {
      runtime: { containers: [{ image: "busybox" }] },
      steps: [{ type: "run", command: "true" }],
      depends: Object.fromEntries(parents.map((parent) => [`t${parent}`, [chance.pick(conditions)]])),
      ...{ timeout: chance.pick(["20s", "300s"]), startTimeout: "45s", queueTimeout: "150s", stopGrace: "5s", approvalTimeout: "40s" },
      retry: { limit: chance.between(0, 2), backoff: { base: "1s" } },
      infraRetry: { limit: 3 },
      ...(chance.happens(0.3) ? { pool: "other" } : {}),
      ...(chance.happens(0.2) ? { labels: { size: "big" } } : {}),
      ...(chance.happens(0.1) ? { needsApproval: true } : {}),
      ...(chance.happens(0.1) ? { skip: true } : {}),
      ...(chance.happens(0.2) ? { ignoreFailure: true } : {}),
    };
  };

  const definition = (): Definition => {
    const tasks = Object.fromEntries(Array.from({ length: chance.between(1, 6) }, (_, index) => [`t${index}`, task(index)]));
    const key = chance.pick(["deploy", "release"]);
    const policy = chance.pick(["queue", "queue", "cancel-queued", "cancel-running"]);
    return {
      ...{ name: "build", group: `${chance.pick(roots)}/main`, priority: chance.between(0, 1), queueTimeout: "200s", tasks },
      ...(chance.happens(0.4) ? { concurrency: { key, limit: limitOf(key), policy } } : {}),
      ...(chance.happens(0.2) ? { timeout: "90s" } : {}),
    };
  };

  return {
    create: () => {
      if (!redis.isUp()) return undefined;
      const made = definition();
      const root = rootOf(made.group);
      const shard = shardOfRoot(root, shards);
      const createdAt = redis.now();
      const id = nextId({ timeMs: createdAt, shard }).slice(0, -11) + chance.id(11);
      const facts = { group: made.group, name: made.name, createdAt: String(createdAt), phase: "queued", root };
      redis.commands.hset(keys.run(id), ...Object.entries({ ...facts, number: "1", history: "h" }).flat());
      const stored = { version: 1, runId: id, group: made.group, createdAt, definition: made };
      redis.commands.set(keys.runDefinition(id), encodeDefinition(JSON.stringify(stored)));
      const event = {
        id: `${id}-1`,
        runId: id,
        seq: 1,
        at: new Date(createdAt).toISOString(),
        type: "run",
        phase: "queued",
        result: "unknown",
      };
      redis.commands.rpush(keys.runEvents(id), JSON.stringify([event]));
      const { concurrency, priority = 0 } = made;
      const enqueue = { type: "enqueue", run: id, priority, createdAt, queueTimeoutMs: runQueueTimeoutMs(made), concurrency };
      const letters = [
        [`run/${id}`, { type: "create", number: 1 }],
        [`root-group/${root}`, enqueue],
      ];
      redis.commands.xadd(keys.inbox(shard), "m", JSON.stringify(letters));
      return { id, root, graph: compileGraph(made), definition: made };
    },
    command: (run, message) => {
      if (!redis.isUp()) return;
      requests += 1;
      const shard = shardOfRoot(run.root, shards);
      const letter = [`run/${run.id}`, { ...message, requestId: `request-${requests}` }, "client", `request-${requests}`];
      redis.commands.xadd(keys.inbox(shard), "m", JSON.stringify([letter]));
    },
  };
}

/** All runs of a key agree on its limit, so that it can be checked from outside. */
export function limitOf(key: string): number {
  return key === "deploy" ? 1 : 2;
}
