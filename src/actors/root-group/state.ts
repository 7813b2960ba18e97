import { z } from "zod";
import type { SortedList } from "../sorted-list.ts";

export const Concurrency = z.object({
  key: z.string(),
  limit: z.number().int(),
  policy: z.enum(["queue", "cancel-queued", "cancel-running"]),
});
export type Concurrency = z.infer<typeof Concurrency>;

/** A run that the root group has not started yet. */
export interface QueuedRun {
  readonly run: string;
  readonly priority: number;
  readonly createdAt: number;
  /** When (ms) it is cancelled for having waited too long. */
  readonly expiresAt: number;
  /** Undefined: nothing but maintenance holds it back. */
  readonly concurrency: Concurrency | undefined;
  /** It was told to cancel and does not start any more; it leaves with its `run-ended`. */
  readonly cancelled: boolean;
}

/** A run that was started under a key and has not told its end: it takes one place of the key's limit. */
export interface Holder {
  readonly run: string;
  readonly key: string;
  readonly createdAt: number;
  /** It was told to stop in favour of a later run of the key. */
  readonly stopping: boolean;
}

/** What one concurrency key is about: who runs under it, and who waits, next one first. */
export interface Line {
  readonly holders: Map<string, Holder>;
  readonly queue: SortedList<QueuedRun>;
}

/** In memory; what is stored of it is one hash field per run, and the few words of `StoredRootGroup`. */
export interface RootGroupState {
  readonly id: string;
  maintenance: boolean;
  readonly queued: Map<string, QueuedRun>;
  readonly holders: Map<string, Holder>;
  /** By key; a key without holders and queue is absent. Cancelled runs are in no queue. */
  readonly lines: Map<string, Line>;
  /** Runs without a key, which only wait during maintenance. */
  readonly unkeyed: SortedList<QueuedRun>;
  /** By the time when they are cancelled; without those that are cancelled already. */
  readonly expiries: SortedList<QueuedRun>;
  /** Runs that were told to cancel and have not left yet. */
  readonly cancelled: Set<string>;
  /** When (ms) runs are next asked whether they still hold their place; from which run on. */
  sweepAt: number;
  sweepAfter: string;
}

export type RootGroupChange =
  | { readonly type: "queued"; readonly run: QueuedRun }
  | { readonly type: "cancelled"; readonly run: string; readonly at: number }
  /** `fromQueue`: it waited before, so that the queue has to be rid of it. */
  | { readonly type: "held"; readonly holder: Holder; readonly fromQueue: boolean; readonly at: number }
  | { readonly type: "stopping"; readonly run: string }
  | { readonly type: "left"; readonly run: string }
  | { readonly type: "maintenance"; readonly on: boolean }
  | { readonly type: "swept"; readonly nextAt: number; readonly after: string };

export function emptyRootGroup(id: string): RootGroupState {
  return {
    id,
    maintenance: false,
    queued: new Map(),
    holders: new Map(),
    lines: new Map(),
    unkeyed: { chunks: [] },
    expiries: { chunks: [] },
    cancelled: new Set(),
    sweepAt: 0,
    sweepAfter: "",
  };
}

/** Next one first: priority, then age. */
export function compareQueued(a: QueuedRun, b: QueuedRun): number {
  return b.priority - a.priority || compareAge(a, b);
}

export function compareAge(a: { createdAt: number; run: string }, b: { createdAt: number; run: string }): number {
  return a.createdAt - b.createdAt || (a.run < b.run ? -1 : a.run > b.run ? 1 : 0);
}

export function compareExpiries(a: QueuedRun, b: QueuedRun): number {
  return a.expiresAt - b.expiresAt || compareAge(a, b);
}
