import type { Context, Hono } from "hono";
import { OstlerError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";
import { onError } from "./errors.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Methods of the routes that match a path; middleware, which matches every method, does not count. */
function allowed(app: Hono<HttpEnv>, path: string): string[] {
  const found: string[] = methods.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method === method));
  return found.includes("GET") ? [...found, "HEAD"] : found;
}

/**
 * Answers what no route took: 405 with `Allow` where the path is known for other methods, else 404.
 * Answers rather than throws: it is also asked by the dashboard's own app, whose errors are not ours.
 */
export function unknownRoute(app: Hono<HttpEnv>): (c: Context<HttpEnv>) => Response | Promise<Response> {
  return (c) => {
    const { method, path } = c.req;
    const allow = allowed(app, path);
    if (allow.length === 0 || allow.includes(method)) return onError(new OstlerError("not_found", `no such route: ${method} ${path}`), c);
    c.header("allow", allow.join(", "));
    const message = `${method} is not allowed here; allowed: ${allow.join(", ")}`;
    return onError(new OstlerError("method_not_allowed", message, { details: { allow } }), c);
  };
}
