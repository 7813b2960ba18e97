import { createRoute, z } from "@hono/zod-openapi";
import { OstlerError } from "../../errors.ts";
import { json } from "../answers.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

/** One thing that must be there for requests to be answered: a sentence that says what is wrong, or undefined if nothing is. */
export type ReadinessCheck = () => Promise<string | undefined>;

export interface HealthRoutesDeps {
  /** Why this process cannot recover by itself and should be started anew; undefined while it can. */
  readonly fault: () => Error | undefined;
  /** By name: redis, ost, shards, index. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
}

const checkMs = 2_000;

const healthz = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Liveness",
  request: { query: noQuery },
  responses: { 200: json(z.object({ status: z.literal("alive") }), "Alive") },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  summary: "Readiness",
  request: { query: noQuery },
  responses: { 200: json(z.object({ status: z.literal("ready"), checks: z.record(z.string(), z.literal("ok")) }), "Ready") },
});

/** The check's sentence; that it failed or took too long is one as well. No text of a foreign error gets out: this page is open to everybody. */
async function perform(check: ReadinessCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, checkMs, `no answer within ${checkMs / 1000} s`);
  });
  try {
    const problem = await Promise.race([check(), late]);
    return problem ?? "ok";
  } catch (error) {
    return error instanceof OstlerError ? error.message : "not reachable";
  } finally {
    clearTimeout(timer);
  }
}

export function healthRoutes({ fault, checks }: HealthRoutesDeps) {
  return createRouter()
    .openapi(healthz, (c) => {
      if (fault()) throw new OstlerError("not_ready", "this process cannot go on and must be started again");
      return c.json({ status: "alive" as const }, 200);
    })
    .openapi(readyz, async (c) => {
      const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await perform(check)] as const));
      const problems = results.filter(([, result]) => result !== "ok");
      if (problems.length > 0) {
        const message = `not ready: ${problems.map(([name, result]) => `${name}: ${result}`).join("; ")}`;
        throw new OstlerError("not_ready", message, { details: { checks: Object.fromEntries(results) } });
      }
      return c.json({ status: "ready" as const, checks: Object.fromEntries(results.map(([name]) => [name, "ok" as const])) }, 200);
    });
}
