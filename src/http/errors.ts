import { z } from "@hono/zod-openapi";
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { type ErrorCode, OstlerError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";
import { refusalOfFault } from "./faults.ts";

/** The body of every answer that is not 2xx. */
export const ErrorBody = z
  .object({
    message: z.string().openapi({ description: "For people; always there." }),
    code: z.string().openapi({ description: "For programs.", example: "run_not_found" }),
    details: z.record(z.string(), z.unknown()),
  })
  .openapi("Error");
export type ErrorBody = z.infer<typeof ErrorBody>;

/** Seconds until it is worth trying again, for the codes that say so. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  too_many_requests: 1,
  not_confirmed: 1,
  redis_unavailable: 2,
  ost_unavailable: 2,
  not_ready: 2,
  overloaded: 5,
  maintenance: 30,
};

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  406: "not_acceptable",
  413: "body_too_large",
  415: "unsupported_media_type",
};

/** An expected refusal, or undefined for what nobody expected. Our own records' faults are among the latter: no caller is blamed for them. */
function refusalOf(error: unknown): OstlerError | undefined {
  if (error instanceof OstlerError) return error;
  if (error instanceof HTTPException) {
    const code = codeOfStatus[error.status];
    return code && new OstlerError(code, error.message || "bad request", { cause: error });
  }
  return refusalOfFault(error);
}

/** Status, headers and body of an error, for wherever one is told: the api, a server without a request yet, a gateway. */
export interface ErrorAnswer {
  readonly status: OstlerError["status"];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
  /** True for what nobody expected: it must be logged, and its body says nothing but the request's id. */
  readonly unexpected: boolean;
}

export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  const refusal = refusalOf(error);
  if (!refusal || refusal.code === "internal") {
    const body = { message: "internal server error", code: "internal", details: { requestId } };
    return { status: 500, headers: {}, body, unexpected: true };
  }
  const { code, message, details, status } = refusal;
  const retryAfter = retryAfterSeconds[code];
  const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return { status, headers, body: { message, code, details }, unexpected: false };
}

/** The only place where an error becomes a response. */
export const onError: ErrorHandler<HttpEnv> = (error, c) => {
  const { status, headers, body, unexpected } = errorAnswer(error, c.var.requestId);
  if (unexpected) c.var.log.error({ err: error }, "unhandled error");
  // What a handler has set so far was meant for its own answer.
  for (const name of ["content-type", "location", "ostler-event", "content-length"]) c.header(name, undefined);
  return c.json(body, status, headers);
};

interface Invalid {
  readonly target: string;
  readonly success: false;
  readonly error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] };
}

const whereOf: Readonly<Record<string, string>> = { query: "query parameter", param: "path", json: "body", header: "header" };

/** For `defaultHook`: refuses what a route's schemas do not allow, naming every place at once. */
export function refuseInvalid(result: { readonly success: true } | Invalid, _c: Context): void {
  if (result.success) return;
  const where = whereOf[result.target] ?? result.target;
  const locations = result.error.issues.map(({ path, message }) => ({ path: path.map(String).join("."), message }));
  const message = locations.map((location) => `${where}${location.path === "" ? "" : ` ${location.path}`}: ${location.message}`).join("; ");
  throw new OstlerError("bad_request", message, { details: { locations } });
}
