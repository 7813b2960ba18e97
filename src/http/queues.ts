import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { HonoAdapter } from "@bull-board/hono";
import { serveStatic } from "@hono/node-server/serve-static";
import type { Queue } from "bullmq";
import { Hono } from "hono";
import { archiveQueue, executorQueue, openQueue } from "../actors/wakes.ts";
import { type ErrorCode, OstlerError } from "../errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { HttpEnv } from "./env.ts";
import type { QueueCounts } from "./scrape.ts";

/** Every BullMQ queue of the installation, open for looking. */
export interface Queues {
  /** The dashboard, to be mounted at `/queues`. */
  readonly dashboard: Hono<HttpEnv>;
  readonly counts: () => Promise<readonly QueueCounts[]>;
  readonly close: () => Promise<void>;
}

const basePath = "/queues";
/** Queues whose names do not depend on who is there. */
const fixedQueues = [archiveQueue, "sweep"];
/** Executors come and go; the dashboard asks every few seconds. */
const refreshMs = 5_000;

export interface QueuesDeps {
  /** Of role `queue`; stays open when the queues are closed. */
  readonly connection: RedisConnection;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly onError: (error: Error) => void;
}

export function createQueues({ connection, redis, keys, onError }: QueuesDeps): Queues {
  const open = new Map<string, Queue>();
  const adapter = new HonoAdapter(serveStatic);
  adapter.setBasePath(basePath);
  const board = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: "ostler", hideDocsLink: true }, handlerHooks: { before: refuseChanges } },
  });
  let refreshed: Promise<void> | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;

  const refresh = async () => {
    const executors = (await redis.smembers(keys.executors)).sort();
    const names = [...fixedQueues, ...executors.map(executorQueue)];
    for (const name of names) if (!open.has(name)) open.set(name, openQueue(name, connection, keys, onError));
    for (const [name, queue] of open) {
      if (names.includes(name)) continue;
      open.delete(name);
      await queue.close();
    }
    board.replaceQueues(names.flatMap((name) => open.get(name) ?? []).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })));
  };

  const upToDate = () => {
    if (refreshed === undefined || performance.now() - refreshedAt > refreshMs) {
      refreshedAt = performance.now();
      refreshed = refresh();
      refreshed.catch(() => {
        refreshed = undefined;
      });
    }
    return refreshed;
  };

  const dashboard = new Hono<HttpEnv>();
  dashboard.use(async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") throw new OstlerError("forbidden", "the queue dashboard is read-only");
    await upToDate();
    await next();
    if (c.res.status >= 400) c.res = await inOurWords(c.res);
    else if (c.res.headers.get("content-type")?.startsWith("text/html")) c.res = await withoutForeignLinks(c.res);
  });
  dashboard.route("/", adapter.registerPlugin());

  return {
    dashboard,
    counts: async () => {
      await upToDate();
      return Promise.all([...open.values()].map(async (queue) => ({ queue: queue.name, counts: await queue.getJobCounts() })));
    },
    close: async () => {
      await Promise.all([...open.values()].map((queue) => queue.close()));
    },
  };
}

/** Besides our own check of methods: whatever the dashboard learns to do, it only looks. */
function refuseChanges({ method }: { readonly method: string }) {
  return { allow: method === "get", status: 403 as const };
}

/** Its page would load fonts from elsewhere: that waits without internet, and tells others who looks. */
async function withoutForeignLinks(page: Response): Promise<Response> {
  const html = (await page.text()).replace(/<link\b[^>]*\bhref="https?:[^>]*>/g, "");
  return new Response(html, { status: page.status, headers: { "content-type": "text/html; charset=utf-8" } });
}

function wordsOf(status: number): { readonly message: string; readonly code: ErrorCode } {
  if (status === 404) return { message: "no such queue, job or page", code: "not_found" };
  if (status < 500) return { message: "the queue dashboard does not take this request", code: "bad_request" };
  return { message: "the queue dashboard could not answer", code: "internal" };
}

/** The dashboard's own errors keep what its pages read, and gain what every error of ours has. */
async function inOurWords(answer: Response): Promise<Response> {
  const text = await answer.text();
  let own: object = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) own = parsed;
  } catch {
    // A page of text is not worth keeping.
  }
  return Response.json({ ...own, ...wordsOf(answer.status), details: {} }, { status: answer.status });
}
