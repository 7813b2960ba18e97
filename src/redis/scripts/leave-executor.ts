import { z } from "zod";
import { shardOfPool } from "../../ids.ts";
import { defineScript } from "../define-script.ts";
import { refused } from "./incarnation-reply.ts";

export interface Leave {
  readonly executor: string;
  readonly pool: string;
  readonly incarnation: string;
  readonly shards: number;
}

/** Ends the heartbeat of an executor without work and tells its actor; `busy` if it has been given some meanwhile. */
export const leaveExecutor = defineScript({
  file: new URL("./leave-executor.lua", import.meta.url),
  keys: ({ executor, pool, shards }: Leave, keys) => [
    keys.executor(executor),
    keys.executorAlive(executor),
    keys.executorTodo(executor),
    keys.inbox(shardOfPool(pool, shards)),
  ],
  args: ({ executor, incarnation }) => [incarnation, JSON.stringify([[`executor/${executor}`, { type: "left", incarnation }]])],
  reply: z.union([z.tuple([z.enum(["left", "busy"]), z.number()]).transform(([type, now]) => ({ type, now })), refused]),
});
