import type { MiddlewareHandler } from "hono";
import { OstlerError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";

/** What a caller may still ask for. */
interface Bucket {
  requests: number;
  filledAt: number;
}

/**
 * Lets every caller make `perSecond` requests on average, and as many at once after a pause (a token bucket); refuses more with
 * `too_many_requests`. Undefined limits nobody. Each process counts for itself: asking the others would cost more than it saves.
 */
export function requestLimit(perSecond: number | undefined, monotonicMs: () => number): MiddlewareHandler<HttpEnv> {
  const buckets = new Map<string, Bucket>();
  return async (c, next) => {
    if (perSecond === undefined) return next();
    const { name } = c.var.principal;
    const now = monotonicMs();
    const bucket = buckets.get(name) ?? { requests: perSecond, filledAt: now };
    buckets.set(name, bucket);
    bucket.requests = Math.min(perSecond, bucket.requests + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
    if (bucket.requests < 1) {
      throw new OstlerError("too_many_requests", `more than ${perSecond} requests a second (setting OSTLER_MAX_REQUESTS_PER_SECOND)`, {
        details: { perSecond },
      });
    }
    bucket.requests -= 1;
    return next();
  };
}
