import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Commander } from "../../actors/commander.ts";
import { ExecutorLife } from "../../actors/executor/description.ts";
import type { ExecutorMessage } from "../../actors/executor/messages.ts";
import { OstlerError } from "../../errors.ts";
import { body, empty, json } from "../answers.ts";
import type { HttpEnv } from "../env.ts";
import { explainExecutor } from "../explain-executor.ts";
import type { FindRun } from "../find-run.ts";
import type { ExecutorReading, Fleet } from "../fleet.ts";
import { requestIdOf } from "../idempotency.ts";
import type { KnownInstallation } from "../installation.ts";
import { Flag, noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface ExecutorRoutesDeps {
  readonly fleet: Fleet;
  readonly findRun: FindRun;
  readonly commander: Pick<Commander, "ask">;
  readonly installation: Pick<KnownInstallation, "position">;
}

export const Executor = z
  .object({
    id: z.string(),
    pool: z.string(),
    groupId: z.string(),
    driver: z.string(),
    archs: z.array(z.string()),
    labels: z.record(z.string(), z.string()),
    taskLimit: z.number().int(),
    liveAssignments: z.number().int(),
    allowPrivileged: z.boolean(),
    dynamic: z.boolean(),
    state: ExecutorLife,
    leaveWhenEmpty: z.boolean(),
    registeredAt: z.string(),
    lastHeartbeatAt: z.string().nullable().openapi({ description: "Null once the heartbeat has expired." }),
    version: z.string(),
  })
  .openapi("Executor");

/** One executor by itself: with what it runs, and why it is as it is. */
const ExecutorDetails = Executor.extend({
  explanation: z
    .string()
    .nullable()
    .openapi({ description: "Why it gets nothing new, or is not there, and what has to happen; null for one that is active." }),
  cleaners: z.array(z.string()).openapi({ description: "Living members of its group that remove the pods it left, if it was lost." }),
  assignments: z.array(z.object({ id: z.string(), runId: z.string(), task: z.string().nullable(), attempt: z.number().int() })),
}).openapi("ExecutorDetails");

/** Runs are looked up to name their tasks; more of them are told by their ids. */
const maxNamedRuns = 50;

export function executorView({ description, life, ...reading }: ExecutorReading): z.infer<typeof Executor> {
  const { group, ...said } = description;
  return {
    ...said,
    groupId: group,
    liveAssignments: reading.liveAssignments,
    state: life,
    leaveWhenEmpty: reading.leaveWhenEmpty,
    registeredAt: new Date(reading.registeredAt).toISOString(),
    lastHeartbeatAt: reading.lastHeartbeatAt === undefined ? null : new Date(reading.lastHeartbeatAt).toISOString(),
  };
}

const ExecutorPath = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });
const done = { 204: empty("Done, or done before") } as const;

const list = createRoute({
  method: "get",
  path: "/executors",
  summary: "List executors",
  request: { query: noQuery },
  responses: { 200: json(z.object({ executors: z.array(Executor), nextCursor: z.null() }), "All executors, by id") },
});

const get = createRoute({
  method: "get",
  path: "/executors/{id}",
  summary: "Show an executor",
  request: { params: ExecutorPath, query: noQuery },
  responses: { 200: json(ExecutorDetails, "The executor") },
});

const remove = createRoute({
  method: "delete",
  path: "/executors/{id}",
  summary: "Delete an executor that is gone; with force, end its assignments without proof that its pods are gone",
  request: { params: ExecutorPath, query: z.strictObject({ force: Flag.optional() }) },
  responses: done,
});

const CordonBody = z.strictObject({ leaveWhenEmpty: z.boolean().default(false) });
const cordon = createRoute({
  method: "post",
  path: "/executors/{id}/cordon",
  summary: "Give it nothing new",
  request: { params: ExecutorPath, query: noQuery, ...body(CordonBody) },
  responses: done,
});

const uncordon = createRoute({
  method: "post",
  path: "/executors/{id}/uncordon",
  summary: "Give it tasks again",
  request: { params: ExecutorPath, query: noQuery, ...body(z.strictObject({})) },
  responses: done,
});

function unknown(id: string): OstlerError {
  return new OstlerError("executor_not_found", `there is no executor ${id.slice(0, 100)}`, { details: { executorId: id.slice(0, 100) } });
}

export function executorRoutes({ fleet, findRun, commander, installation }: ExecutorRoutesDeps) {
  const tell = async (c: Context<HttpEnv>, message: ExecutorMessage) => {
    const id = c.req.param("id") ?? "";
    const pool = await fleet.poolOf(id);
    if (pool === undefined) throw unknown(id);
    const { event } = await commander.ask({ kind: "executor", id, pool }, message, { requestId: requestIdOf(c) });
    c.header("ostler-event", installation.position(event));
    return c.body(null, 204);
  };

  return createRouter()
    .openapi(list, async (c) => c.json({ executors: (await fleet.executors()).map(executorView), nextCursor: null }, 200))
    .openapi(get, async (c) => {
      const { id } = c.req.valid("param");
      const found = (await fleet.executors()).find(({ description }) => description.id === id);
      if (!found) throw unknown(id);
      const { record, cleaners, assignments } = await fleet.details(found);
      const runs = [...new Set(assignments.map(({ runId }) => runId))].slice(0, maxNamedRuns);
      const graphs = new Map(await Promise.all(runs.map(async (runId) => [runId, (await findRun(runId))?.graph] as const)));
      const details = {
        explanation: (record && explainExecutor(record, cleaners)) ?? null,
        cleaners: [...cleaners],
        assignments: assignments.map((one) => ({ ...one, task: graphs.get(one.runId)?.tasks[one.task]?.name ?? null })),
      };
      return c.json({ ...executorView(found), ...details }, 200);
    })
    .openapi(remove, (c) => tell(c, { type: "delete", force: c.req.valid("query").force ?? false }))
    .openapi(cordon, (c) => tell(c, { type: "cordon", leaveWhenEmpty: c.req.valid("json").leaveWhenEmpty }))
    .openapi(uncordon, (c) => tell(c, { type: "uncordon" }));
}
