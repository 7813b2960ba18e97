import { z } from "zod";
import type { ExecutorDescription } from "../../actors/executor/description.ts";
import { shardOfPool } from "../../ids.ts";
import { defineScript } from "../define-script.ts";

export interface Registration {
  readonly description: ExecutorDescription;
  readonly incarnation: string;
  /** The machine and process id space that `pid` belongs to. */
  readonly host: string;
  readonly pid: number;
  /** Tells this process from a later one with the same pid. */
  readonly processStart: string;
  readonly ttlMs: number;
  readonly fenceMs: number;
  readonly shards: number;
  /** The predecessor whose process is proven dead on this host. */
  readonly deadIncarnation: string | undefined;
}

/** Registers under a new incarnation. Refused while another process's heartbeat lives, unless that process is proven dead. */
export const registerExecutor = defineScript({
  file: new URL("./register-executor.lua", import.meta.url),
  keys: ({ description: { id, pool }, shards }: Registration, keys) => [
    keys.executor(id),
    keys.executorAlive(id),
    keys.executorTodo(id),
    keys.executors,
    keys.inbox(shardOfPool(pool, shards)),
  ],
  args: ({ description, incarnation, host, pid, processStart, ttlMs, fenceMs, deadIncarnation }) => [
    description.id,
    incarnation,
    description.pool,
    deadIncarnation ?? "",
    ttlMs,
    JSON.stringify([[`executor/${description.id}`, { type: "registered", incarnation, description, ttlMs, fenceMs }]]),
    ...["pool", description.pool, "group", description.group, "host", host, "pid", pid, "processStart", processStart],
    ...["description", JSON.stringify(description), "ttlMs", ttlMs, "fenceMs", fenceMs],
  ],
  reply: z.union([
    z
      .tuple([z.literal("registered"), z.number(), z.enum(["new", "inherited", "lost-before"])])
      .transform(([type, now, how]) => ({ type, now, how })),
    z.tuple([z.literal("alive"), z.number()]).transform(([type, forMs]) => ({ type, forMs })),
    z.tuple([z.literal("other-pool"), z.string()]).transform(([type, pool]) => ({ type, pool })),
  ]),
});
