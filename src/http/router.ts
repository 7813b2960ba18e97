import { OpenAPIHono } from "@hono/zod-openapi";
import type { HttpEnv } from "./env.ts";
import { refuseInvalid } from "./errors.ts";

/** An empty set of routes, which refuse what their schemas do not allow in our own words. */
export function createRouter() {
  return new OpenAPIHono<HttpEnv>({ defaultHook: refuseInvalid });
}
