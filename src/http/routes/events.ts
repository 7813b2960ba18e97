import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { OstlerError } from "../../errors.ts";
import { jsonOrStream } from "../answers.ts";
import type { HttpEnv } from "../env.ts";
import type { FindRun } from "../find-run.ts";
import { followRun } from "../follow-run.ts";
import { followInstallation, type InstallationEventsDeps, positionOf, readEvents } from "../installation-events.ts";
import { knownRunId, Limit, RunPath, runNotFound } from "../parameters.ts";
import { createRouter } from "../router.ts";
import type { RunEventReader } from "../run-events.ts";
import { EventPage } from "../shapes.ts";
import { eventStream, type Frame } from "../sse.ts";
import type { StreamLimit } from "../stream-limit.ts";

export interface EventRoutesDeps extends InstallationEventsDeps {
  readonly reader: RunEventReader;
  readonly findRun: FindRun;
  readonly streams: StreamLimit;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

const Seq = z.string().regex(/^\d{1,15}$/, { error: "expected an event's seq" });

const ofRun = createRoute({
  method: "get",
  path: "/runs/{id}/events",
  summary: "A run's events: a stream that ends with `end`, or a JSON page",
  request: { params: RunPath, query: z.strictObject({ after: Seq.optional(), limit: Limit }) },
  responses: { 200: jsonOrStream(EventPage, "With `Accept: application/json` a page, else an event stream") },
});

const ofAll = createRoute({
  method: "get",
  path: "/events",
  summary: "All events of the installation: a stream, or a JSON page",
  request: { query: z.strictObject({ after: z.string().optional(), limit: Limit }) },
  responses: { 200: jsonOrStream(EventPage, "With `Accept: application/json` a page, else an event stream") },
});

/** JSON is for those who ask for it by name; everybody else gets the stream. */
export function wantsJson(c: Context<HttpEnv>): boolean {
  const accept = c.req.header("accept") ?? "";
  return accept.includes("application/json") && !accept.includes("text/event-stream");
}

/** The id that a client that comes back sends; at its first call it may say where to begin by `after`. */
function resumeAfter(c: Context<HttpEnv>, after: string | undefined): string | undefined {
  const last = c.req.header("last-event-id");
  return last === undefined || last === "" ? after : last;
}

export function eventRoutes(deps: EventRoutesDeps) {
  const { reader, findRun, window, streams, closing } = deps;

  const stream = (c: Context<HttpEnv>, frames: (signal: AbortSignal) => AsyncIterable<Frame>) =>
    eventStream(c, frames, { closing, onEnd: streams.enter(c.var.principal.name) });

  return createRouter()
    .openapi(ofRun, async (c) => {
      const runId = knownRunId(c.req.valid("param").id);
      const { after, limit } = c.req.valid("query");
      const from = Seq.safeParse(resumeAfter(c, after) ?? "0");
      if (!from.success) throw new OstlerError("bad_request", "header Last-Event-ID: expected an event's seq");
      const seq = Number(from.data);
      const page = await reader.read(runId, seq, limit);
      // Only a run that is over can have been deleted, and Redis keeps its events until the archiver has been there.
      if (!page || (page.ended && !(await findRun(runId)))) throw runNotFound(runId);
      if (!wantsJson(c)) return stream(c, (signal) => followRun({ reader, window }, runId, seq, signal));
      const events = page.events.slice(0, limit);
      const more = page.events.length > limit || !page.ended;
      return c.json({ events, nextCursor: more ? String(events.at(-1)?.seq ?? seq) : null }, 200);
    })
    .openapi(ofAll, async (c) => {
      const { after, limit } = c.req.valid("query");
      const from = resumeAfter(c, after);
      const position = from === undefined ? undefined : positionOf(from, "query parameter after, or header Last-Event-ID");
      if (!wantsJson(c)) return stream(c, (signal) => followInstallation(deps, position, signal));
      const page = await readEvents(deps, position, limit);
      return c.json({ events: [...page.events], nextCursor: page.next }, 200);
    });
}
