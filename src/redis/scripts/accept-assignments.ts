import { z } from "zod";
import { defineScript } from "../define-script.ts";
import { refused } from "./incarnation-reply.ts";

const Verdict = z.literal([0, 1, 2]).transform((code) => (["refused", "accepted", "held"] as const)[code]);
/** `held` is one that was accepted before: by this process, if its answer was lost, or by its predecessor. */
export type Verdict = z.infer<typeof Verdict>;

/** Takes assignments on; answers a verdict for each, in order, and Redis's time. */
export const acceptAssignments = defineScript({
  file: new URL("./accept-assignments.lua", import.meta.url),
  keys: ({ executor }: { executor: string; incarnation: string; assignments: readonly string[] }, keys) => [
    keys.executor(executor),
    keys.executorTodo(executor),
    keys.executorHeld(executor),
  ],
  args: ({ incarnation, assignments }) => [incarnation, ...assignments],
  reply: z.union([
    z
      .tuple([z.literal("accepted"), z.number()], Verdict)
      .transform(([type, now, ...verdicts]): { type: "accepted"; now: number; verdicts: Verdict[] } => ({ type, now, verdicts })),
    refused,
  ]),
});
