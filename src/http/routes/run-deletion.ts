import { createRoute } from "@hono/zod-openapi";
import type { Commander } from "../../actors/commander.ts";
import { empty } from "../answers.ts";
import { requestIdOf } from "../idempotency.ts";
import type { KnownInstallation } from "../installation.ts";
import { knownRunId, noQuery, RunPath, runNotFound } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface RunDeletionDeps {
  readonly commander: Pick<Commander, "ask">;
  readonly installation: Pick<KnownInstallation, "position">;
  readonly isLive: (runId: string) => Promise<boolean>;
  /** Deletes an archived run, and answers the entry of the event stream after which everybody knows; undefined if there is no such run. */
  readonly deleteArchived: (runId: string) => Promise<string | undefined>;
  /** Takes the run off this process's lists at once. */
  readonly unlist: (runId: string) => Promise<void>;
}

const remove = createRoute({
  method: "delete",
  path: "/runs/{id}",
  summary: "Delete a run that has ended: everything but what restarts use; its number stays taken",
  request: { params: RunPath, query: noQuery },
  responses: { 204: empty("Deleted") },
});

export function runDeletionRoutes({ commander, installation, isLive, deleteArchived, unlist }: RunDeletionDeps) {
  return createRouter().openapi(remove, async (c) => {
    const runId = knownRunId(c.req.valid("param").id);
    const requestId = requestIdOf(c);
    const ask = async () => {
      const message = { type: "delete", by: c.var.principal.name, requestId } as const;
      return (await commander.ask({ kind: "run", id: runId }, message, { requestId })).event;
    };
    const event = (await isLive(runId)) ? await ask() : await deleteArchived(runId);
    if (event === undefined) throw runNotFound(runId);
    await unlist(runId);
    c.header("ostler-event", installation.position(event));
    return c.body(null, 204);
  });
}
