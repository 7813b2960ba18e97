import { createRoute, z } from "@hono/zod-openapi";
import type { FoundRun } from "../../archive/find-run.ts";
import { OstlerError } from "../../errors.ts";
import { readArchive } from "../../ost/archives.ts";
import { inParallel } from "../../ost/in-parallel.ts";
import { layout } from "../../ost/layout.ts";
import type { Store } from "../../ost/store.ts";
import { json } from "../answers.ts";
import type { FindRun } from "../find-run.ts";
import { taskOf } from "../log-request.ts";
import { knownRunId, noQuery, RunPath, runNotFound, TaskPath } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface ArtifactRoutesDeps {
  readonly findRun: FindRun;
  readonly store: Pick<Store, "stat" | "stream">;
}

const Artifact = z
  .object({
    task: z.string(),
    name: z.string(),
    attempt: z.number().int(),
    sizeBytes: z.number().openapi({ description: "As stored, compressed." }),
    createdAt: z.string(),
    runId: z.string().openapi({ description: "The run that made it: for a kept task not the one that was asked about." }),
  })
  .openapi("Artifact");

const list = createRoute({
  method: "get",
  path: "/runs/{id}/artifacts",
  summary: "List what a run's tasks have saved",
  request: { params: RunPath, query: noQuery },
  responses: { 200: json(z.object({ artifacts: z.array(Artifact), nextCursor: z.null() }), "Artifacts, by task and step") },
});

const ArtifactPath = TaskPath.extend({ name: z.string().openapi({ param: { name: "name", in: "path" } }) });
const get = createRoute({
  method: "get",
  path: "/runs/{id}/artifacts/{task}/{name}",
  summary: "Fetch an artifact as a tar archive",
  request: { params: ArtifactPath, query: noQuery },
  responses: {
    200: {
      content: { "application/x-tar": { schema: z.never().openapi({ type: "string", format: "binary" }) } },
      description: "The files",
    },
  },
});

const statsAtOnce = 16;

/** The attempt of the run that really made a task's artifacts. */
function placeOf(run: FoundRun, task: string) {
  const { attempt, reusedFrom } = taskOf(run, task);
  return { runId: reusedFrom?.runId ?? run.view.id, task, attempt };
}

export function artifactRoutes({ findRun, store }: ArtifactRoutesDeps) {
  const found = async (id: string) => {
    const run = await findRun(knownRunId(id));
    if (!run) throw runNotFound(id);
    return run;
  };

  return createRouter()
    .openapi(list, async (c) => {
      const run = await found(c.req.valid("param").id);
      const named = Object.keys(run.view.tasks).flatMap((task) =>
        (run.stored.definition.tasks[task]?.steps ?? []).flatMap((step) =>
          step.type === "save_artifact" ? [{ task, name: step.name }] : [],
        ),
      );
      const present = new Map<number, z.infer<typeof Artifact>>();
      await inParallel(named.entries(), statsAtOnce, async ([index, { task, name }]) => {
        const place = placeOf(run, task);
        const stat = await store.stat(layout.artifact(place, name));
        if (stat) present.set(index, { ...place, name, sizeBytes: stat.sizeBytes, createdAt: new Date(stat.modifiedAt).toISOString() });
      });
      return c.json({ artifacts: named.flatMap((_, index) => present.get(index) ?? []), nextCursor: null }, 200);
    })
    .openapi(get, async (c) => {
      const { id, task, name } = c.req.valid("param");
      const run = await found(id);
      const place = placeOf(run, task);
      const tar = name === "" ? undefined : await readArchive(store, layout.artifact(place, name));
      if (!tar) throw new OstlerError("artifact_not_found", `the task has no artifact "${name.slice(0, 100)}"`);
      // What was found has a name that was checked: nothing in it needs an escape.
      const headers = { "content-type": "application/x-tar", "content-disposition": `attachment; filename="${name}.tar"` };
      return c.body(ReadableStream.from(tar), 200, headers);
    });
}
