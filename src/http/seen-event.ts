import type { MiddlewareHandler } from "hono";
import { compareStreamIds } from "../read-model/stream-id.ts";
import type { HttpEnv } from "./env.ts";
import type { EventWindow } from "./event-window.ts";
import { positionOf } from "./installation-events.ts";

/** How long a GET waits until this process has seen what its caller has: longer than the stream ever lags while all is well. */
const waitMs = 2_000;

/** A caller that sends back the `Ostler-Event` of a change sees that change, whichever api process it asks next; after 2 s, what there is. */
export function seenEvent(window: Pick<EventWindow, "newest" | "changed">): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const header = c.req.header("ostler-event");
    if (header === undefined || (c.req.method !== "GET" && c.req.method !== "HEAD")) return next();
    const { history, entry } = positionOf(header, "header Ostler-Event");
    const seen = () => {
      const newest = window.newest();
      if (newest === undefined) return false;
      // Of another history there is nothing to wait for.
      return newest.history !== history || compareStreamIds(newest.entry, entry) >= 0;
    };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), waitMs);
    const signal = AbortSignal.any([late.signal, c.req.raw.signal]);
    while (!seen() && !signal.aborted) await window.changed(signal);
    clearTimeout(timer);
    return next();
  };
}
