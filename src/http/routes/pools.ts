import { createRoute, z } from "@hono/zod-openapi";
import { OstlerError } from "../../errors.ts";
import { json } from "../answers.ts";
import type { Fleet, PoolReading } from "../fleet.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface PoolRoutesDeps {
  readonly fleet: Fleet;
}

const Pool = z
  .object({
    id: z.string(),
    executors: z.array(z.string()),
    taskLimit: z.number().int().openapi({ description: "Of the executors that take tasks now, together." }),
    liveAssignments: z.number().int(),
    freeSlots: z.number().int().openapi({
      description: "How many more tasks would be placed at once: fewer than the limits allow where executors have failed lately.",
    }),
    waiting: z.number().int().openapi({ description: "Tasks that wait for an executor: what an autoscaler looks at." }),
    oldestWaitSeconds: z.number().nullable().openapi({ description: "How long the first of them has waited; null if none waits." }),
    backlog: z.array(
      z.object({
        arch: z.string().nullable(),
        labels: z.record(z.string(), z.string()),
        privileged: z.boolean(),
        waiting: z.number().int(),
        oldestWaitSeconds: z.number(),
      }),
    ),
  })
  .openapi("Pool");

const PoolPath = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" }, example: "default" }) });

const list = createRoute({
  method: "get",
  path: "/pools",
  summary: "List pools with their backlogs",
  request: { query: noQuery },
  responses: { 200: json(z.object({ pools: z.array(Pool), nextCursor: z.null() }), "All pools, by id") },
});

const get = createRoute({
  method: "get",
  path: "/pools/{id}",
  summary: "Show a pool with its backlog by requirement",
  request: { params: PoolPath, query: noQuery },
  responses: { 200: json(Pool, "The pool") },
});

const seconds = (ms: number) => Math.max(0, Math.round(ms / 100) / 10);

function poolView(pool: PoolReading, nowMs: number): z.infer<typeof Pool> {
  const active = pool.executors.filter(({ life }) => life === "active");
  const waits = pool.backlog.map(({ oldestQueuedAt }) => seconds(nowMs - oldestQueuedAt));
  return {
    id: pool.id,
    executors: pool.executors.map(({ description }) => description.id),
    taskLimit: active.reduce((sum, { description }) => sum + description.taskLimit, 0),
    liveAssignments: pool.live,
    freeSlots: pool.freeSlots,
    waiting: pool.backlog.reduce((sum, { waiting }) => sum + waiting, 0),
    oldestWaitSeconds: waits.length === 0 ? null : Math.max(...waits),
    backlog: pool.backlog.map(({ requirement, waiting, oldestQueuedAt }) => ({
      arch: requirement.arch ?? null,
      labels: requirement.labels ?? {},
      privileged: requirement.privileged ?? false,
      waiting,
      oldestWaitSeconds: seconds(nowMs - oldestQueuedAt),
    })),
  };
}

export function poolRoutes({ fleet }: PoolRoutesDeps) {
  const views = async () => {
    const [pools, now] = await Promise.all([fleet.pools(), fleet.now()]);
    return pools.map((pool) => poolView(pool, now));
  };
  return createRouter()
    .openapi(list, async (c) => c.json({ pools: await views(), nextCursor: null }, 200))
    .openapi(get, async (c) => {
      const { id } = c.req.valid("param");
      const pool = (await views()).find((view) => view.id === id);
      if (!pool) throw new OstlerError("pool_not_found", `there is no pool ${id.slice(0, 100)}`, { details: { poolId: id.slice(0, 100) } });
      return c.json(pool, 200);
    });
}
