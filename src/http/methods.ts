import type { Context, Hono } from "hono";
import { OstlerError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Methods of the routes that match a path; middleware, which matches every method, does not count. */
function allowed(app: Hono<HttpEnv>, path: string): string[] {
  return methods.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method === method));
}

/** Answers what no route took: 405 with `Allow` where the path is known, else 404. Throws, so that `onError` writes the answer. */
export function unknownRoute(app: Hono<HttpEnv>): (c: Context<HttpEnv>) => never {
  return (c) => {
    const allow = allowed(app, c.req.path);
    if (allow.length === 0) throw new OstlerError("not_found", `no such route: ${c.req.method} ${c.req.path}`);
    if (allow.includes("GET")) allow.push("HEAD");
    c.header("allow", allow.join(", "));
    throw new OstlerError("method_not_allowed", `${c.req.method} is not allowed here; allowed: ${allow.join(", ")}`, {
      details: { allow },
    });
  };
}
