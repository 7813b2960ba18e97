import type { ExecutorDescription } from "../../src/actors/executor/description.ts";
import { parseAssignmentId, parseRunId, shardOfPool } from "../../src/ids.ts";
import type { Keys } from "../../src/redis/keys.ts";
import type { RedisServer } from "./redis-server.ts";

export type Refusal = "superseded" | "lost" | "unknown";

/** What the scripts of executors do, on a simulated Redis (`register-executor.lua` and so on). */
export interface ExecutorScripts {
  readonly register: (input: RegisterInput) => "new" | "inherited" | "lost-before" | "alive";
  readonly heartbeat: (incarnation: string) => "ok" | Refusal;
  /** Ids that are held by this incarnation from now on, true for those that were held before. */
  readonly accept: (incarnation: string, assignments: readonly string[]) => ReadonlyMap<string, boolean> | Refusal;
  readonly report: (incarnation: string, assignment: string, message: unknown) => "ok" | Refusal;
  readonly leave: (incarnation: string) => "left" | "busy" | Refusal;
  readonly todo: () => ReadonlyMap<string, string>;
}

export interface RegisterInput {
  readonly incarnation: string;
  readonly ttlMs: number;
  readonly fenceMs: number;
  readonly deadIncarnation: string;
}

export function executorScripts(server: RedisServer, keys: Keys, shards: number, description: ExecutorDescription): ExecutorScripts {
  const { id, pool, group } = description;
  const { commands: redis } = server;
  const inbox = keys.inbox(shardOfPool(pool, shards));
  const record = () => redis.hash(keys.executor(id));
  let ttlMs = 0;

  const refusal = (incarnation: string): Refusal | undefined => {
    const current = record().get("incarnation");
    if (current === undefined) return "unknown";
    if (current !== incarnation) return "superseded";
    return record().get("life") === "lost" ? "lost" : undefined;
  };
  const mail = (key: string, actor: string, message: unknown) => redis.xadd(key, "m", JSON.stringify([[actor, message]]));

  return {
    register: (input) => {
      const { incarnation, fenceMs, deadIncarnation } = input;
      ttlMs = input.ttlMs;
      const alive = redis.get(keys.executorAlive(id));
      if (alive !== undefined && alive !== deadIncarnation) return "alive";
      const known = record().get("incarnation") !== undefined;
      const inherits = known && record().get("life") !== "lost";
      if (inherits) {
        for (const [assignment, wanted] of [...redis.hash(keys.executorTodo(id))]) {
          if (wanted !== "stop") redis.hset(keys.executorTodo(id), assignment, `run:${incarnation}`);
        }
      } else {
        redis.hset(keys.executor(id), "life", "active");
        redis.hdel(keys.executor(id), "leave");
      }
      redis.hset(keys.executor(id), "incarnation", incarnation, "pool", pool, "group", group);
      redis.set(keys.executorAlive(id), incarnation, ttlMs);
      redis.sadd(keys.executors, id);
      mail(inbox, `executor/${id}`, { type: "registered", incarnation, description, ttlMs, fenceMs });
      if (inherits) return "inherited";
      return known ? "lost-before" : "new";
    },
    heartbeat: (incarnation) => {
      const refused = refusal(incarnation);
      if (refused) return refused;
      redis.set(keys.executorAlive(id), incarnation, ttlMs);
      return "ok";
    },
    accept: (incarnation, assignments) => {
      const refused = refusal(incarnation);
      if (refused) return refused;
      const accepted = new Map<string, boolean>();
      for (const assignment of assignments) {
        if (redis.hash(keys.executorTodo(id)).get(assignment) !== `run:${incarnation}`) continue;
        accepted.set(assignment, redis.hash(keys.executorHeld(id)).has(assignment));
        redis.hset(keys.executorHeld(id), assignment, server.now());
      }
      return accepted;
    },
    report: (incarnation, assignment, message) => {
      const refused = refusal(incarnation);
      if (refused) return refused;
      const runId = parseAssignmentId(assignment)?.runId ?? "";
      mail(keys.inbox(parseRunId(runId)?.shard ?? 0), `run/${runId}`, message);
      return "ok";
    },
    leave: (incarnation) => {
      const refused = refusal(incarnation);
      if (refused) return refused;
      if (redis.exists(keys.executorTodo(id))) return "busy";
      redis.del(keys.executorAlive(id));
      mail(inbox, `executor/${id}`, { type: "left", incarnation });
      return "left";
    },
    todo: () => new Map(redis.hash(keys.executorTodo(id))),
  };
}
