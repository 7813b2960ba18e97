import { setTimeout as delay } from "node:timers/promises";
import type { LogOutlets } from "./finish-log.ts";
import type { LogChunk } from "./log-chunk.ts";
import type { LogObject } from "./log-object.ts";
import type { LogItem, LogSubject } from "./log-subject.ts";
import { findAssignment, findObject, type Place, type Reached, shippedFrom } from "./shipped-from.ts";
import type { AwaitTail } from "./tail-watch.ts";

/** Between two looks at a log that has not begun, or whose object is still being stored. */
const idleMs = 500;

export interface FollowOptions {
  readonly from: number;
  readonly times?: boolean;
  readonly signal: AbortSignal;
}

/** Hands on what is there of a log from an address on, then whatever comes, up to its end. */
export async function* followLog(
  outlets: LogOutlets & { readonly awaitTail: AwaitTail },
  subject: LogSubject,
  { from, times = false, signal }: FollowOptions,
): AsyncGenerator<LogItem> {
  let at = from;
  let isFirst = true;
  for (;;) {
    signal.throwIfAborted();
    const state = await subject.state();
    // While it is live its object is looked for once, and again only when the tail says so: no requests while nothing happens.
    const object = isFirst || state.type === "ended" ? await findObject(outlets, subject) : undefined;
    isFirst = false;
    if (object) return yield* restOf(object, { from: at, times });
    if (state.type === "ended" && state.complete) return yield endOfNothing;
    const assignment = state.type === "waiting" ? undefined : await findAssignment(outlets, subject, state);
    if (assignment !== undefined) {
      const place = { ...subject, assignment };
      const reached = yield* followShipped(outlets, place, { from: at, times, signal, isLive: state.type === "live" });
      at = reached.at;
      if (reached.end && !reached.isMoved) return yield { type: "end", ...reached.end };
      isFirst = reached.isMoved;
    }
    if (state.type === "ended" && state.lost && !isFirst) {
      yield { type: "gap", from: at, to: null, why: "executor_lost" };
      return yield { type: "end", size: at, sha256: null, complete: false };
    }
    if (state.type !== "live" && !isFirst) await delay(idleMs, undefined, { signal });
  }
}

const endOfNothing = { type: "end", size: 0, sha256: null, complete: true } as const;

async function* restOf(object: LogObject, { from, times }: { from: number; times: boolean }): AsyncGenerator<LogItem> {
  yield* object.chunks({ from }, { times });
  const { size, sha256, complete } = object.index;
  yield { type: "end", size, sha256, complete };
}

/** What is there, and while the log is live what comes, until nothing has come for about a second: then its run is asked again. */
async function* followShipped(
  outlets: LogOutlets & { readonly awaitTail: AwaitTail },
  place: Place,
  options: { readonly from: number; readonly times: boolean; readonly signal: AbortSignal; readonly isLive: boolean },
): AsyncGenerator<LogChunk, Reached> {
  let at = options.from;
  for (;;) {
    const reached = yield* shippedFrom(outlets, place, { from: at, times: options.times });
    const hasCome = reached.at > at;
    at = reached.at;
    if (reached.end || reached.isMoved || !options.isLive) return reached;
    const waitedFrom = performance.now();
    await outlets.awaitTail(place, at, options.signal);
    if (!hasCome && performance.now() - waitedFrom >= idleMs) return reached;
  }
}
