import { z } from "zod";
import { defineScript } from "../define-script.ts";

/** True if the tail is gone, false if it has grown since `lastId` was read (undefined: it was empty). */
export const dropTail = defineScript({
  file: new URL("./drop-tail.lua", import.meta.url),
  keys: ({ assignment, step }: { assignment: string; step: string; lastId: string | undefined }, keys) => [
    keys.log(assignment, step),
    keys.logTails,
  ],
  args: ({ assignment, step, lastId }) => [`${assignment}:${step}`, lastId ?? ""],
  reply: z.union([z.literal(0), z.literal(1)]).transform((n) => n === 1),
});
