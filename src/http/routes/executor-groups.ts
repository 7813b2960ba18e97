import { createRoute, z } from "@hono/zod-openapi";
import { ExecutorLife } from "../../actors/executor/description.ts";
import { OstlerError } from "../../errors.ts";
import { json } from "../answers.ts";
import type { Fleet, GroupReading } from "../fleet.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface ExecutorGroupRoutesDeps {
  readonly fleet: Fleet;
}

const ExecutorGroup = z
  .object({
    id: z.string(),
    members: z.array(
      z.object({
        executorId: z.string(),
        pool: z.string(),
        state: ExecutorLife,
        lastHeartbeatAt: z.string().nullable(),
        siblings: z.array(z.string()).openapi({ description: "The members that see its pods too, and remove them if it is lost." }),
      }),
    ),
    leftovers: z
      .array(z.object({ executorId: z.string(), message: z.string(), cleaners: z.array(z.string()) }))
      .openapi({ description: "Lost executors whose pods are not yet proven gone, and who sees to it." }),
  })
  .openapi("ExecutorGroup");

const GroupPath = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });

const list = createRoute({
  method: "get",
  path: "/executor-groups",
  summary: "List the sets of executors that see the same pods",
  request: { query: noQuery },
  responses: { 200: json(z.object({ executorGroups: z.array(ExecutorGroup), nextCursor: z.null() }), "All executor groups, by id") },
});

const get = createRoute({
  method: "get",
  path: "/executor-groups/{id}",
  summary: "Show an executor group",
  request: { params: GroupPath, query: noQuery },
  responses: { 200: json(ExecutorGroup, "The group") },
});

function leftoverMessage(executor: string, cleaners: readonly string[]): string {
  if (cleaners.length > 0) return `the pods of ${executor} are being removed by ${cleaners.join(", ")}`;
  return `nobody alive sees the pods of ${executor}: they count as gone when its fence time ends, or when an operator deletes it by force`;
}

function groupView({ id, executors, leftovers }: GroupReading): z.infer<typeof ExecutorGroup> {
  const ids = executors.map(({ description }) => description.id);
  return {
    id,
    members: executors.map(({ description, life, lastHeartbeatAt }) => ({
      executorId: description.id,
      pool: description.pool,
      state: life,
      lastHeartbeatAt: lastHeartbeatAt === undefined ? null : new Date(lastHeartbeatAt).toISOString(),
      siblings: ids.filter((other) => other !== description.id),
    })),
    leftovers: leftovers.map(({ executor, cleaners }) => ({
      executorId: executor,
      message: leftoverMessage(executor, cleaners),
      cleaners: [...cleaners],
    })),
  };
}

export function executorGroupRoutes({ fleet }: ExecutorGroupRoutesDeps) {
  return createRouter()
    .openapi(list, async (c) => c.json({ executorGroups: (await fleet.groups()).map(groupView), nextCursor: null }, 200))
    .openapi(get, async (c) => {
      const { id } = c.req.valid("param");
      const found = (await fleet.groups()).find((group) => group.id === id);
      if (!found) throw new OstlerError("executor_group_not_found", `there is no executor group ${id.slice(0, 100)}`);
      return c.json(groupView(found), 200);
    });
}
