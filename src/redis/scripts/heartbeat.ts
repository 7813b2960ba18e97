import { z } from "zod";
import { ExecutorLife } from "../../actors/executor/description.ts";
import { defineScript } from "../define-script.ts";
import { refused } from "./incarnation-reply.ts";

/** Renews an executor's heartbeat; answers what its record says, or why it is refused. */
export const heartbeat = defineScript({
  file: new URL("./heartbeat.lua", import.meta.url),
  keys: ({ executor }: { executor: string; incarnation: string; ttlMs: number }, keys) => [
    keys.executor(executor),
    keys.executorAlive(executor),
  ],
  args: ({ incarnation, ttlMs }) => [incarnation, ttlMs],
  reply: z.union([
    z
      .tuple([z.literal("ok"), z.number(), ExecutorLife, z.string()])
      .transform(([type, now, life, leave]) => ({ type, now, life, leaveWhenEmpty: leave === "1" })),
    refused,
  ]),
});
