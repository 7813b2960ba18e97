import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import { randomId } from "../ids.ts";
import type { HttpEnv } from "./env.ts";

const acceptable = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives every request an id (the caller's own, if it is fit to print), and a log that carries it. */
export function requestId(log: Logger): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header("x-request-id") ?? "";
    const id = acceptable.test(given) ? given : randomId(16);
    c.set("requestId", id);
    c.set("log", log.child({ requestId: id }));
    c.header("x-request-id", id);
    const startedAt = performance.now();
    await next();
    // A path may name runs and groups, never secrets; queries and headers stay out of the log.
    c.var.log.debug(
      { method: c.req.method, path: c.req.path, status: c.res.status, ms: Math.round(performance.now() - startedAt) },
      "answered",
    );
  };
}
