import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { OstlerError } from "../errors.ts";
import { StartError } from "../serve/start-error.ts";
import type { HttpEnv } from "./env.ts";

const loopbackNames = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** Refuses to listen where others reach an api that nobody has to authenticate to. Throws with what to do. */
export function assertGuarded({ host, adminToken }: { readonly host: string; readonly adminToken?: string | undefined }): void {
  if (adminToken !== undefined || isLoopback(host)) return;
  throw new StartError(`refusing to listen on ${host} without authentication: set OSTLER_ADMIN_TOKEN, or OSTLER_HOST=127.0.0.1`);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Equal in a time that tells nothing of where they differ, nor of their lengths. */
function same(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

interface Credentials {
  readonly token: string;
  /** True for what a browser adds by itself, also to requests that a foreign page caused. */
  readonly ambient: boolean;
}

/** `Bearer <token>`; or `Basic`, whose password is the token, so that a browser can open the dashboards. */
function credentialsOf(header: string | undefined): Credentials | undefined {
  const [scheme = "", value = ""] = (header ?? "").split(" ", 2);
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { token: value, ambient: false };
    case "basic":
      return {
        token: Buffer.from(value, "base64")
          .toString("utf8")
          .replace(/^[^:]*:/, ""),
        ambient: true,
      };
    default:
      return undefined;
  }
}

interface Caller {
  readonly host: string;
  readonly origin: string | undefined;
}

/** A page of another origin must not act through the browser of somebody who may. */
function assertSameOrigin({ host, origin }: Caller): void {
  if (origin === undefined) return;
  const allowed = URL.canParse(origin) && new URL(origin).host.toLowerCase() === host.toLowerCase();
  if (!allowed) throw new OstlerError("forbidden", "requests of pages from another origin are not allowed");
}

/** A foreign name that resolves to this machine (DNS rebinding) must not reach an api without authentication. */
function assertLocalName({ host }: Caller): void {
  if (loopbackNames.test(host)) return;
  throw new OstlerError("forbidden", `without OSTLER_ADMIN_TOKEN only requests to localhost are served, not to ${host.slice(0, 100)}`);
}

const open = new Set(["/healthz", "/readyz"]);

/** Lets a request through as somebody, or throws 401 or 403. Liveness and readiness are open to everybody. */
export function authentication(adminToken: string | undefined): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const caller = { host: c.req.header("host") ?? new URL(c.req.url).host, origin: c.req.header("origin") };
    if (open.has(c.req.path)) return next();
    if (adminToken === undefined) {
      assertLocalName(caller);
      assertSameOrigin(caller);
      c.set("principal", { name: "local", role: "admin" });
      return next();
    }
    const credentials = credentialsOf(c.req.header("authorization"));
    if (!credentials || !same(credentials.token, adminToken)) {
      c.header("www-authenticate", 'Bearer realm="ostler", Basic realm="ostler", charset="UTF-8"');
      throw new OstlerError("unauthorized", credentials ? "this token is not valid" : "this needs a token: Authorization: Bearer <token>");
    }
    if (credentials.ambient) assertSameOrigin(caller);
    c.set("principal", { name: "admin", role: "admin" });
    return next();
  };
}
