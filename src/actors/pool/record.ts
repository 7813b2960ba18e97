import { z } from "zod";
import { parseAssignmentId } from "../../ids.ts";
import type { StateWrite, Stored } from "../actor.ts";
import { ExecutorDescription, ExecutorLife } from "../executor/description.ts";
import { trackFields } from "../hash-fields.ts";
import { book, enqueue, setExecutor } from "./apply.ts";
import { Requirement } from "./messages.ts";
import { classOf, kindOf } from "./requirement.ts";
import { emptyPool, type PoolChange, type PoolExecutor, type PoolState, type Request, taskKey } from "./state.ts";

/** `pool/<id>` in the shard's states. */
const StoredPool = z.object({ v: z.literal(1), sweepAt: z.number() });

/** A field of `pool:<id>:executors`. */
const StoredExecutor = z.object({
  incarnation: z.string(),
  life: ExecutorLife,
  description: ExecutorDescription,
  failures: z.number(),
});

/** A field of `pool:<id>:ready`: short, since there may be 100,000. */
const StoredRequest = z.object({
  a: z.number(),
  req: Requirement,
  root: z.string(),
  p: z.number(),
  run: z.number(),
  avoid: z.array(z.string()).optional(),
  at: z.number(),
  until: z.number(),
});

const hash = (part: Stored["parts"][number] | undefined): Readonly<Record<string, string>> =>
  part === null || part === undefined || typeof part === "string" ? {} : part;

/** A new owner asks about everything that it finds. */
const neverChecked = Number.NEGATIVE_INFINITY;

/** Throws on anything that `encode` did not write. Parts: ready, live, executors. */
export function decode(id: string, { state: stored, parts: [ready, live, executors] }: Stored): PoolState {
  const state = emptyPool(id);
  if (stored !== null) state.sweepAt = StoredPool.parse(JSON.parse(stored)).sweepAt;
  for (const [executor, text] of Object.entries(hash(executors))) {
    const { incarnation, life, description, failures } = StoredExecutor.parse(JSON.parse(text));
    setExecutor(state, { id: executor, incarnation, life, description, kind: kindOf(description), failures, live: 0 });
  }
  for (const [assignment, executor] of Object.entries(hash(live))) {
    const parsed = parseAssignmentId(assignment);
    if (!parsed) throw new Error(`pool ${id}: not an assignment id: ${assignment}`);
    book(state, { assignment, executor, run: parsed.runId, task: parsed.task, attempt: parsed.attempt, checkedAt: neverChecked });
  }
  for (const [key, text] of Object.entries(hash(ready))) enqueue(state, { request: readRequest(key, text), checkedAt: neverChecked });
  return state;
}

/** A field of `pool:<id>:ready`; throws on anything that `encode` did not write. */
export function readRequest(key: string, text: string): Request {
  const dash = key.lastIndexOf("-");
  const { a, req, root, p, run, avoid, at, until } = StoredRequest.parse(JSON.parse(text));
  return {
    run: key.slice(0, dash),
    task: Number(key.slice(dash + 1)),
    attempt: a,
    requirement: req,
    class: classOf(req),
    root,
    priority: p,
    runCreatedAt: run,
    avoid: avoid ?? [],
    queuedAt: at,
    expiresAt: until,
  };
}

function writeRequest({ attempt, requirement, root, priority, runCreatedAt, avoid, queuedAt, expiresAt }: Request): string {
  const stored: z.infer<typeof StoredRequest> = {
    a: attempt,
    req: requirement,
    root,
    p: priority,
    run: runCreatedAt,
    ...(avoid.length > 0 ? { avoid: [...avoid] } : {}),
    at: queuedAt,
    until: expiresAt,
  };
  return JSON.stringify(stored);
}

function writeExecutor({ incarnation, life, description, failures }: PoolExecutor): string {
  const stored: z.infer<typeof StoredExecutor> = { incarnation, life, description, failures };
  return JSON.stringify(stored);
}

/** Where the parts are, in the order in which `decode` reads them. */
export interface PoolKeys {
  readonly ready: string;
  readonly live: string;
  readonly executors: string;
}

/** Writes what `changes` left different: what came and went within them leaves no trace. */
export function encode(keys: PoolKeys, state: PoolState, changes: readonly PoolChange[]): StateWrite {
  const ready = trackFields();
  const live = trackFields();
  const executors = trackFields();
  for (const change of changes) {
    switch (change.type) {
      case "queued":
        ready.add(taskKey(change.request.run, change.request.task));
        break;
      case "unqueued":
        ready.remove(taskKey(change.run, change.task));
        break;
      case "assigned": {
        const { fromBacklog } = change;
        if (fromBacklog !== undefined) ready.remove(fromBacklog);
        live.add(change.assignment);
        break;
      }
      case "released":
        live.remove(change.assignment);
        break;
      case "executor-set":
        executors.alter(change.executor.id);
        break;
      case "executor-failures":
        executors.alter(change.executor);
        break;
      case "executor-removed":
        executors.alter(change.executor);
        break;
      case "swept":
        break;
    }
  }
  const stored: z.infer<typeof StoredPool> = { v: 1, sweepAt: state.sweepAt };
  const empty = state.executors.size === 0 && state.waiting.size === 0 && state.live.size === 0;
  return {
    state: empty ? null : JSON.stringify(stored),
    hashes: [
      ready.write(keys.ready, (field) => found(state.waiting.get(field), ({ request }) => writeRequest(request))),
      live.write(keys.live, (field) => state.live.get(field)?.executor),
      executors.write(keys.executors, (field) => found(state.executors.get(field), writeExecutor)),
    ].filter(({ set, remove }) => remove.length > 0 || Object.keys(set).length > 0),
  };
}

function found<Value>(value: Value | undefined, write: (value: Value) => string): string | undefined {
  return value === undefined ? undefined : write(value);
}
