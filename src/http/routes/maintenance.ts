import { createRoute, z } from "@hono/zod-openapi";
import { body, empty, json } from "../answers.ts";
import type { KnownInstallation } from "../installation.ts";
import type { Maintenance } from "../maintenance.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface MaintenanceRoutesDeps {
  readonly maintenance: Maintenance;
  readonly installation: Pick<KnownInstallation, "position">;
}

const State = z.object({ maintenance: z.boolean(), since: z.string().nullable(), by: z.string().nullable() }).openapi("Maintenance");

const get = createRoute({
  method: "get",
  path: "/maintenance",
  summary: "Whether the installation is in maintenance",
  request: { query: noQuery },
  responses: { 200: json(State, "The switch") },
});

const begin = createRoute({
  method: "put",
  path: "/maintenance",
  summary: "Start no run and create none until it ends; what runs goes on",
  request: { query: noQuery, ...body(z.strictObject({})) },
  responses: { 200: json(State, "Every shard has taken note of it") },
});

const end = createRoute({
  method: "delete",
  path: "/maintenance",
  summary: "End the maintenance: queued runs start",
  request: { query: noQuery },
  responses: { 204: empty("Ended") },
});

export function maintenanceRoutes({ maintenance, installation }: MaintenanceRoutesDeps) {
  return createRouter()
    .openapi(get, async (c) => c.json(await maintenance.get(), 200))
    .openapi(begin, async (c) => {
      await maintenance.set(true, c.var.principal.name);
      c.header("ostler-event", installation.position("0-0"));
      return c.json(await maintenance.get(), 200);
    })
    .openapi(end, async (c) => {
      await maintenance.set(false, c.var.principal.name);
      c.header("ostler-event", installation.position("0-0"));
      return c.body(null, 204);
    });
}
