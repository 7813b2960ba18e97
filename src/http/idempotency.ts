import { createHmac } from "node:crypto";
import type { Context } from "hono";
import { OstlerError } from "../errors.ts";
import { randomId } from "../ids.ts";
import type { HttpEnv } from "./env.ts";

const acceptable = /^[\x21-\x7e]{1,255}$/;

/** The caller's `Idempotency-Key`; undefined without one. */
export function idempotencyKey(c: Context<HttpEnv>): string | undefined {
  const key = c.req.header("idempotency-key");
  if (key !== undefined && !acceptable.test(key)) {
    throw new OstlerError("bad_request", "header Idempotency-Key: expected 1 to 255 visible ASCII characters");
  }
  return key;
}

/**
 * What tells a command's repetition from another command: the caller's key, else chance.
 * A key is bound to its caller and route, so that using it for something else is another command.
 */
export function requestIdOf(c: Context<HttpEnv>): string {
  const key = idempotencyKey(c);
  return key === undefined ? randomId(20) : `${c.var.principal.name}:${c.req.method}:${c.req.path}:${key}`;
}

/** How two requests under one key are compared; keyed, because bodies hold secrets and this is stored in Redis. */
export function createBodyHmac(secretKey: Uint8Array): (c: Context<HttpEnv>) => Promise<string> {
  const key = createHmac("sha256", secretKey).update("ostler idempotency").digest();
  return async (c) =>
    createHmac("sha256", key)
      .update(`${c.req.method} ${c.req.path} ${new URL(c.req.url).search}\n`)
      .update(await c.req.text())
      .digest("base64url");
}
