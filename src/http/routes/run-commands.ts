import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Commander } from "../../actors/commander.ts";
import type { RunMessage } from "../../actors/run/messages.ts";
import { body, empty } from "../answers.ts";
import type { HttpEnv } from "../env.ts";
import { requestIdOf } from "../idempotency.ts";
import type { KnownInstallation } from "../installation.ts";
import { knownRunId, noQuery, RunPath, TaskPath } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface RunCommandsDeps {
  readonly commander: Pick<Commander, "ask">;
  readonly installation: Pick<KnownInstallation, "position">;
  /** Throws `run_not_found` for a run that neither Redis nor ost knows, and a 409 for one that is archived: no actor could answer for it. */
  readonly assertLive: (runId: string, verb: string) => Promise<void>;
}

const done = { 204: empty("Done, or done before") } as const;

const StopBody = z.strictObject({
  force: z.boolean().default(false).openapi({ description: "Also stop tasks that run after everything." }),
});
const stop = createRoute({
  method: "post",
  path: "/runs/{id}/stop",
  summary: "Stop a running run",
  request: { params: RunPath, query: noQuery, ...body(StopBody) },
  responses: done,
});

const cancel = createRoute({
  method: "post",
  path: "/runs/{id}/cancel",
  summary: "Cancel a queued run",
  request: { params: RunPath, query: noQuery, ...body(z.strictObject({})) },
  responses: done,
});

const DecisionBody = z.strictObject({ message: z.string().max(1024).optional() });
const approve = createRoute({
  method: "post",
  path: "/runs/{id}/tasks/{task}/approve",
  summary: "Approve a task that waits for it",
  request: { params: TaskPath, query: noQuery, ...body(DecisionBody) },
  responses: done,
});

const reject = createRoute({
  method: "post",
  path: "/runs/{id}/tasks/{task}/reject",
  summary: "Reject a task that waits for approval: it is skipped",
  request: { params: TaskPath, query: noQuery, ...body(DecisionBody) },
  responses: done,
});

export function runCommandRoutes({ commander, installation, assertLive }: RunCommandsDeps) {
  interface Asked {
    readonly by: string;
    readonly requestId: string;
  }

  /** Asks the run's actor; its decision is committed when this resolves, and a refusal throws. */
  const tell = async (c: Context<HttpEnv>, messageOf: (asked: Asked) => RunMessage) => {
    const runId = knownRunId(c.req.param("id") ?? "");
    const asked = { by: c.var.principal.name, requestId: requestIdOf(c) };
    const message = messageOf(asked);
    await assertLive(runId, message.type);
    const { event } = await commander.ask({ kind: "run", id: runId }, message, { requestId: asked.requestId });
    c.header("ostler-event", installation.position(event));
    return c.body(null, 204);
  };

  return createRouter()
    .openapi(stop, (c) => tell(c, (asked) => ({ type: "stop", force: c.req.valid("json").force, ...asked })))
    .openapi(cancel, (c) => tell(c, (asked) => ({ type: "cancel", ...asked })))
    .openapi(approve, (c) => tell(c, (asked) => ({ type: "approve", task: c.req.valid("param").task, ...c.req.valid("json"), ...asked })))
    .openapi(reject, (c) => tell(c, (asked) => ({ type: "reject", task: c.req.valid("param").task, ...c.req.valid("json"), ...asked })));
}
