import { z } from "zod";
import { ExecutorDescription } from "./description.ts";

/** What an executor goes back to when its heartbeat returns. */
const Standing = z.discriminatedUnion("state", [
  z.object({ state: z.literal("active") }),
  z.object({ state: z.literal("cordoned"), leaveWhenEmpty: z.boolean() }),
]);
export type Standing = z.infer<typeof Standing>;

const Life = z.discriminatedUnion("state", [
  ...Standing.options,
  z.object({
    state: z.literal("suspect"),
    since: z.number(),
    before: Standing,
    /** It said good-bye with nothing left to do and no pod: its absence needs no further proof. */
    left: z.boolean(),
  }),
  z.object({
    state: z.literal("lost"),
    since: z.number(),
    /** Deleted as soon as its pods are proven gone: dynamic executors, and those that somebody deleted meanwhile. */
    removeWhenGone: z.boolean(),
  }),
]);
export type Life = z.infer<typeof Life>;

/** A lost incarnation whose pods may still be there. */
const Unproven = z.object({
  incarnation: z.string(),
  /** When (ms) the pods have stopped their steps by themselves: the end of the fence time proves it where nobody else does. */
  presumedGoneAt: z.number(),
});

export const ExecutorRecord = z.object({
  v: z.literal(1),
  description: ExecutorDescription,
  incarnation: z.string(),
  /** Incarnations before this one, newest first, so that a late registration of one is known to be late. */
  earlier: z.array(z.string()),
  ttlMs: z.number(),
  fenceMs: z.number(),
  life: Life,
  /** Set from the loss until the proof, also while the executor is back: until then it gets nothing new. */
  unproven: Unproven.optional(),
});
export type ExecutorRecord = z.infer<typeof ExecutorRecord>;

/** An executor from its first registration until it is deleted; without a record there is no such executor. */
export interface ExecutorState {
  readonly id: string;
  readonly record: ExecutorRecord | undefined;
}

/** Small enough to be replaced as a whole. `undefined` deletes it. */
export interface ExecutorChange {
  readonly type: "record-set";
  readonly record: ExecutorRecord | undefined;
}
