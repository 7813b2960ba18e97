import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Commander } from "../../actors/commander.ts";
import { OstlerError } from "../../errors.ts";
import type { LogItem } from "../../ost/log-subject.ts";
import { empty } from "../answers.ts";
import { parseRange } from "../byte-range.ts";
import type { HttpEnv } from "../env.ts";
import { requestIdOf } from "../idempotency.ts";
import type { KnownInstallation } from "../installation.ts";
import { grep, lines, type TextItem, texts, withTimes } from "../log-lines.ts";
import { findLog, LogQuery, type LogRequestDeps, matcherOf, taskOf } from "../log-request.ts";
import type { LogText } from "../log-text.ts";
import { knownRunId, noQuery, runNotFound, TaskPath } from "../parameters.ts";
import { createRouter } from "../router.ts";
import { eventStream, type Frame } from "../sse.ts";
import type { StreamLimit } from "../stream-limit.ts";

export interface LogRoutesDeps extends LogRequestDeps {
  readonly commander: Pick<Commander, "ask">;
  readonly installation: Pick<KnownInstallation, "position">;
  readonly isLive: (runId: string) => Promise<boolean>;
  /** Deletes the logs of all attempts of a task in object storage, and marks them as deleted. */
  readonly deleteLogObjects: (runId: string, task: string, attempts: number) => Promise<void>;
  readonly streams: StreamLimit;
  readonly closing: AbortSignal;
}

const read = createRoute({
  method: "get",
  path: "/runs/{id}/tasks/{task}/logs",
  summary: "A task's log: text, or with follow=true an event stream",
  request: { params: TaskPath, query: LogQuery },
  responses: {
    200: {
      description: "What there is of the log",
      content: {
        "text/plain": { schema: z.string() },
        "text/event-stream": { schema: z.never().openapi({ type: "string", description: "chunk, gap and end" }) },
      },
    },
    206: { description: "The bytes of a Range", content: { "text/plain": { schema: z.string() } } },
  },
});

const remove = createRoute({
  method: "delete",
  path: "/runs/{id}/tasks/{task}/logs",
  summary: "Delete a task's logs, of a run that has ended",
  request: { params: TaskPath, query: noQuery },
  responses: { 204: empty("Deleted") },
});

/** The stored text as it is asked for: lines where lines matter, else as it comes. */
function shape(items: AsyncIterable<LogItem>, query: LogQuery): AsyncIterable<TextItem> {
  const { grep: pattern, timestamps } = query;
  if (pattern === undefined && !timestamps) return texts(items);
  const matching = pattern === undefined ? lines(items) : grep(lines(items), matcherOf(pattern));
  return timestamps ? withTimes(matching) : matching;
}

async function startOf(log: LogText, { offset, tail }: LogQuery): Promise<number> {
  const tailed = tail === undefined ? 0 : await log.tailStart(tail);
  return Math.max(offset ?? 0, tailed);
}

async function* encoded(items: AsyncIterable<TextItem>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const item of items) {
    if (item.type === "text") yield encoder.encode(item.text);
    else if (item.type === "gap") yield encoder.encode(`\n[${gapWords(item)}]\n`);
  }
}

function gapWords({ from, to, why }: Extract<TextItem, { type: "gap" }>): string {
  return to === null ? `what followed is lost: ${why}` : `${to - from} bytes are lost: ${why}`;
}

const nothing = new Uint8Array(64 * 1024);

/** Bytes at their addresses: the length has been promised, so those that are lost are zeros. */
async function* bytes(items: AsyncIterable<LogItem>): AsyncGenerator<Uint8Array> {
  for await (const item of items) {
    if (item.type === "bytes") yield item.bytes;
    if (item.type !== "gap" || item.to === null) continue;
    for (let left = item.to - item.from; left > 0; left -= nothing.length) yield nothing.subarray(0, left);
  }
}

async function* frames(items: AsyncIterable<TextItem>): AsyncGenerator<Frame> {
  for await (const item of items) {
    switch (item.type) {
      case "text":
        yield { event: "chunk", id: String(item.to), data: { offset: item.from, text: item.text } };
        break;
      case "gap":
        yield { event: "gap", ...(item.to === null ? {} : { id: String(item.to) }), data: { from: item.from, to: item.to, why: item.why } };
        break;
      case "end":
        yield { event: "end", data: { size: item.size, sha256: item.sha256, complete: item.complete } };
    }
  }
}

const textHeaders = { "content-type": "text/plain; charset=utf-8", "accept-ranges": "bytes", "cache-control": "no-store" };

/** Read as the client takes it: a log is never in memory as a whole. */
function textAnswer(
  c: Context<HttpEnv>,
  body: AsyncIterable<Uint8Array>,
  status: 200 | 206,
  headers: Record<string, string> = {},
): Response {
  return c.body(ReadableStream.from(body), status, { ...textHeaders, ...headers });
}

function resumeFrom(c: Context<HttpEnv>): number | undefined {
  const last = c.req.header("last-event-id");
  if (last === undefined || last === "") return undefined;
  if (!/^\d{1,15}$/.test(last)) throw new OstlerError("bad_request", "header Last-Event-ID: expected an offset");
  return Number(last);
}

export function logRoutes(deps: LogRoutesDeps) {
  const { commander, installation, isLive, streams, closing } = deps;

  const answerText = async (c: Context<HttpEnv>, log: LogText, query: LogQuery) => {
    // Also finds out whether the log was deleted, while that can still be a status.
    const { size } = await log.size();
    const plain = query.grep === undefined && !query.timestamps;
    const range = plain ? parseRange(c.req.header("range"), size) : undefined;
    if (range === "unsatisfiable") {
      c.header("content-range", `bytes */${size}`);
      throw new OstlerError("range_not_satisfiable", `the log has ${size} bytes`, { details: { size } });
    }
    if (range) {
      const headers = {
        "content-range": `bytes ${range.start}-${range.end - 1}/${size}`,
        "content-length": String(range.end - range.start),
      };
      return textAnswer(c, bytes(log.read({ from: range.start, to: range.end })), 206, headers);
    }
    const items = log.read({ from: await startOf(log, query), times: query.timestamps ?? false });
    return textAnswer(c, encoded(shape(items, query)), 200);
  };

  return createRouter()
    .openapi(read, async (c) => {
      const { id, task } = c.req.valid("param");
      const query = c.req.valid("query");
      if (query.grep !== undefined) matcherOf(query.grep);
      const log = await findLog(deps, { runId: knownRunId(id), task }, query);
      if (!query.follow) return answerText(c, log, query);
      await log.size();
      const from = resumeFrom(c) ?? (await startOf(log, query));
      const follow = (signal: AbortSignal) => frames(shape(log.follow({ from, times: query.timestamps ?? false, signal }), query));
      return eventStream(c, follow, { closing, onEnd: streams.enter(c.var.principal.name) });
    })
    .openapi(remove, async (c) => {
      const { id, task } = c.req.valid("param");
      const runId = knownRunId(id);
      const run = await deps.findRun(runId);
      if (!run) throw runNotFound(runId);
      const { attempt, reusedFrom } = taskOf(run, task);
      if (reusedFrom) {
        const message = `these logs belong to run ${reusedFrom.runId}, which really ran the task: delete them there`;
        throw new OstlerError("conflict", message, { details: { runId: reusedFrom.runId } });
      }
      let event = "0-0";
      if (await isLive(runId)) {
        const requestId = requestIdOf(c);
        const message = { type: "delete-logs", task, by: c.var.principal.name, requestId } as const;
        event = (await commander.ask({ kind: "run", id: runId }, message, { requestId })).event;
      }
      // Also of a run that Redis still knows: the archiver may have read the run just before the command.
      await deps.deleteLogObjects(runId, task, attempt);
      c.header("ostler-event", installation.position(event));
      return c.body(null, 204);
    });
}
