import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Metrics } from "../metrics.ts";
import type { HttpEnv } from "./env.ts";

/** Measures every request under its route's pattern, never its path: a label per run would drown the metrics. */
export function observe(metrics: Pick<Metrics, "http">): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const pattern = routePath(c, -1);
    const route = pattern.includes("*") ? "other" : pattern;
    metrics.http.answered({ method: c.req.method, route, status: c.res.status, seconds: (performance.now() - startedAt) / 1000 });
  };
}
