import { createRoute, z } from "@hono/zod-openapi";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface MetricsRoutesDeps {
  /** Prometheus's text format. */
  readonly scrape: () => Promise<string>;
}

const metrics = createRoute({
  method: "get",
  path: "/metrics",
  summary: "Metrics of the whole installation, for Prometheus",
  request: { query: noQuery },
  responses: { 200: { content: { "text/plain": { schema: z.string() } }, description: "Metrics" } },
});

export function metricsRoutes({ scrape }: MetricsRoutesDeps) {
  return createRouter().openapi(metrics, async (c) =>
    c.text(await scrape(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
}
