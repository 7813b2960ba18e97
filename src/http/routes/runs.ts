import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { OstlerError } from "../../errors.ts";
import type { ReadModel } from "../../read-model/read-model.ts";
import { setupErrorsOf } from "../../runs/check-definition.ts";
import { parseDefinition } from "../../runs/parse-definition.ts";
import { mapSecrets } from "../../runs/secrets.ts";
import { body, json } from "../answers.ts";
import type { HttpEnv } from "../env.ts";
import type { FindRun } from "../find-run.ts";
import { idempotencyKey } from "../idempotency.ts";
import { type CreateNewRun, findFaults, type NewRunDeps } from "../new-run.ts";
import { encodeCursor, knownRunId, noQuery, RunPath, runNotFound } from "../parameters.ts";
import { createRouter } from "../router.ts";
import { filterOf, RunListQuery, summaryOf } from "../run-list.ts";
import { Run, RunList, SetupCheck, ShownDefinition } from "../shapes.ts";

export interface RunRoutesDeps {
  readonly createRun: CreateNewRun;
  /** Throws 503 while Redis is too full for new runs. */
  readonly assertRoom: () => Promise<void>;
  readonly bodyHmac: (c: Context<HttpEnv>) => Promise<string>;
  readonly findRun: FindRun;
  readonly sourceExists: NewRunDeps["sourceExists"];
  readonly poolAccess: NewRunDeps["poolAccess"];
  readonly allowPod: NewRunDeps["allowPod"];
  readonly model: Pick<ReadModel, "call">;
  readonly indexComplete: () => boolean;
}

/** What a client submits. Its own fields are checked by `parseDefinition`, which knows short forms and near misses. */
const SubmittedDefinition = z.custom<Record<string, unknown>>(() => true).openapi({ type: "object", externalDocs: { url: "../docs" } });

const create = createRoute({
  method: "post",
  path: "/runs",
  summary: "Create a run",
  request: { query: noQuery, ...body(SubmittedDefinition, true) },
  responses: { 201: json(Run, "Created"), 200: json(Run, "Created before, by a request with the same Idempotency-Key") },
});

const check = createRoute({
  method: "post",
  path: "/runs/check",
  summary: "Check a definition without creating anything",
  request: { query: noQuery, ...body(SubmittedDefinition, true) },
  responses: { 200: json(SetupCheck, "What would keep it from working; empty if nothing") },
});

const list = createRoute({
  method: "get",
  path: "/runs",
  summary: "List runs",
  request: { query: RunListQuery },
  responses: { 200: json(RunList, "Runs, the newest first unless asked otherwise") },
});

const get = createRoute({
  method: "get",
  path: "/runs/{id}",
  summary: "Show a run",
  request: { params: RunPath, query: noQuery },
  responses: { 200: json(Run, "The run") },
});

const NumberPath = z.object({
  path: z.string().openapi({
    param: { name: "path", in: "path" },
    description: "The whole group with its leading slash, percent-encoded",
    example: "/project/web",
  }),
  number: z.string().openapi({ param: { name: "number", in: "path" }, example: "12" }),
});

const getByNumber = createRoute({
  method: "get",
  path: "/groups/{path}/runs/{number}",
  summary: "Show the run of a number",
  request: { params: NumberPath, query: noQuery },
  responses: { 200: json(Run, "The run of that number at or below the group") },
});

const definition = createRoute({
  method: "get",
  path: "/runs/{id}/definition",
  summary: "Show what a run was created from",
  request: { params: RunPath, query: noQuery },
  responses: { 200: json(ShownDefinition, "The definition; secrets are ***") },
});

export function runRoutes(deps: RunRoutesDeps) {
  const { createRun, assertRoom, bodyHmac, findRun, model } = deps;

  const found = async (runId: string) => {
    const run = await findRun(runId);
    if (!run) throw runNotFound(runId);
    return run;
  };

  return createRouter()
    .openapi(create, async (c) => {
      const parsed = parseDefinition(c.req.valid("json"));
      await assertRoom();
      const key = idempotencyKey(c);
      const idempotency = key === undefined ? undefined : { principal: c.var.principal.name, key, bodyHmac: await bodyHmac(c) };
      const { runId, created, event } = await createRun({ definition: parsed, secrets: "clear", ...(idempotency && { idempotency }) });
      const run = await findRun(runId);
      if (!run) throw keyOfDeletedRun(runId);
      c.header("ostler-event", event);
      if (!created) return c.json(run.view, 200);
      c.header("location", `/api/v1/runs/${runId}`);
      return c.json(run.view, 201);
    })
    .openapi(check, async (c) => {
      const parsed = parseDefinition(c.req.valid("json"));
      const locations = await findFaults(parsed, deps);
      return c.json({ setupErrors: [...setupErrorsOf(parsed, locations)], locations: [...locations] }, 200);
    })
    .openapi(list, async (c) => {
      const page = await model.call("listRuns", filterOf(c.req.valid("query")));
      const partial = deps.indexComplete() ? {} : { partial: true };
      return c.json({ runs: page.items.map(summaryOf), nextCursor: encodeCursor(page.next), ...partial }, 200);
    })
    .openapi(get, async (c) => c.json((await found(knownRunId(c.req.valid("param").id))).view, 200))
    .openapi(getByNumber, async (c) => {
      const { path, number } = c.req.valid("param");
      const wanted = /^[1-9]\d{0,14}$/.test(number) ? Number(number) : undefined;
      const runId = wanted && (await model.call("findByNumber", { group: path, number: wanted }));
      if (!runId) throw new OstlerError("run_not_found", `there is no run ${number.slice(0, 20)} in ${path.slice(0, 1024)}`);
      return c.json((await found(runId)).view, 200);
    })
    .openapi(definition, async (c) => {
      const { stored } = await found(knownRunId(c.req.valid("param").id));
      return c.json(
        mapSecrets(stored.definition, () => "***"),
        200,
      );
    });
}

/** For whoever comes back with the key of a run that is gone: making another one would be a surprise. */
export function keyOfDeletedRun(runId: string): OstlerError {
  return new OstlerError("run_deleted", `the run ${runId} that this Idempotency-Key had made was deleted; use a new key`, {
    details: { runId },
  });
}
