import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { FoundRun } from "../../archive/find-run.ts";
import { OstlerError } from "../../errors.ts";
import { inParallel } from "../../ost/in-parallel.ts";
import { layout } from "../../ost/layout.ts";
import type { Store } from "../../ost/store.ts";
import { Environment } from "../../runs/environment.ts";
import { compileGraph } from "../../runs/graph.ts";
import { type PlannedRestart, planRestart, refuseRestart } from "../../runs/restart.ts";
import { mapEnvironment } from "../../runs/secrets.ts";
import type { Sealer } from "../../secrets.ts";
import { body, json } from "../answers.ts";
import type { HttpEnv } from "../env.ts";
import type { FindRun } from "../find-run.ts";
import { idempotencyKey } from "../idempotency.ts";
import type { CreateNewRun } from "../new-run.ts";
import { Flag, knownRunId, RunPath, runNotFound } from "../parameters.ts";
import { createRouter } from "../router.ts";
import { RestartPlan, Run } from "../shapes.ts";
import { keyOfDeletedRun } from "./runs.ts";

export interface RestartRoutesDeps {
  readonly findRun: FindRun;
  readonly createRun: CreateNewRun;
  readonly assertRoom: () => Promise<void>;
  readonly bodyHmac: (c: Context<HttpEnv>) => Promise<string>;
  readonly sealer: Sealer;
  readonly store: Pick<Store, "stat">;
}

const RestartBody = z.strictObject({
  fromFailed: z.boolean().default(false).openapi({ description: "Keep what succeeded." }),
  environment: Environment.optional().openapi({ description: "Replaces the run's environment; absent, it is kept." }),
});

const restart = createRoute({
  method: "post",
  path: "/runs/{id}/restart",
  summary: "Create a run anew from one that has ended",
  request: {
    params: RunPath,
    query: z.strictObject({ plan: Flag.optional().openapi({ description: "Only say what would run, and why." }) }),
    ...body(RestartBody),
  },
  responses: {
    201: json(Run, "The new run"),
    200: json(z.union([RestartPlan, Run]), "With `plan=true` the plan; or the run that a request with the same Idempotency-Key had made"),
  },
});

const checksAtOnce = 16;

/** Tasks of which a workspace archive that they saved is gone: they cannot be kept. */
async function tasksWithoutArchives(store: Pick<Store, "stat">, { view, stored }: FoundRun): Promise<ReadonlySet<string>> {
  const saved = Object.entries(view.tasks).flatMap(([task, { status, attempt, attempts, reusedFrom }]) => {
    if (status !== "success") return [];
    const steps = stored.definition.tasks[task]?.steps ?? [];
    const place = { runId: reusedFrom?.runId ?? view.id, task, attempt };
    const hasSaved = (index: number) => attempts.at(-1)?.steps[index]?.phase === "success";
    return steps.flatMap((step, index) =>
      step.type === "save_to_workspace" && hasSaved(index) ? [{ ...place, step: String(index) }] : [],
    );
  });
  const gone = new Set<string>();
  await inParallel(saved, checksAtOnce, async (place) => {
    if (!(await store.stat(layout.workspace(place)))) gone.add(place.task);
  });
  return gone;
}

async function plan(store: Pick<Store, "stat">, run: FoundRun, fromFailed: boolean): Promise<PlannedRestart> {
  const refusal = refuseRestart(run.view, fromFailed);
  if (refusal !== undefined) throw new OstlerError("run_not_restartable", refusal, { details: { runId: run.view.id } });
  const gone = fromFailed ? await tasksWithoutArchives(store, run) : new Set<string>();
  return planRestart({ graph: compileGraph(run.stored.definition), run: run.view, fromFailed, hasArchives: (task) => !gone.has(task) });
}

export function restartRoutes({ findRun, createRun, assertRoom, bodyHmac, sealer, store }: RestartRoutesDeps) {
  return createRouter().openapi(restart, async (c) => {
    const runId = knownRunId(c.req.valid("param").id);
    const { fromFailed, environment } = c.req.valid("json");
    const old = await findRun(runId);
    if (!old) throw runNotFound(runId);
    const planned = await plan(store, old, fromFailed);
    if (c.req.valid("query").plan) return c.json(planned.plan, 200);

    await assertRoom();
    const key = idempotencyKey(c);
    const creation = await createRun({
      definition: { ...old.stored.definition, ...(environment && { environment: mapEnvironment(environment, sealer.seal) }) },
      secrets: "sealed",
      restart: { of: runId, fromFailed, kept: { ...planned.kept } },
      ...(key !== undefined && { idempotency: { principal: c.var.principal.name, key, bodyHmac: await bodyHmac(c) } }),
    });
    const run = await findRun(creation.runId);
    if (!run) throw keyOfDeletedRun(creation.runId);
    c.header("ostler-event", creation.event);
    if (!creation.created) return c.json(run.view, 200);
    c.header("location", `/api/v1/runs/${creation.runId}`);
    return c.json(run.view, 201);
  });
}
