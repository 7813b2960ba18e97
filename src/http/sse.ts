import type { Context } from "hono";
import { OstlerError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";

/** One message of an event stream. */
export interface Frame {
  readonly event?: string;
  /** What the client sends back as `Last-Event-ID` after it lost the connection. */
  readonly id?: string;
  /** Without it only the id is told: nothing has happened, and whoever comes back goes on from there. */
  readonly data?: unknown;
}

/** Proxies close what is silent for long; a comment keeps the connection, and notices a client that has gone. */
const heartbeatMs = 15_000;
const heartbeat = ": still here\n\n";
/** How long (ms) a client waits before it connects again. */
const preamble = "retry: 2000\n\n";

/** JSON has no raw line breaks, so `data` is always a single line. */
function format({ event, id, data }: Frame): string {
  const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`;
  if (data === undefined) return `${head}\n`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

function lastWords(c: Context<HttpEnv>, error: unknown): Frame {
  const known = error instanceof OstlerError ? { message: error.message, code: error.code } : undefined;
  if (!known) c.var.log.error({ err: error }, "an event stream failed");
  return { event: "error", data: known ?? { message: "internal server error", code: "internal" } };
}

/** What happens first: the promise, silence for so long, or the end of the stream. Leaves neither timer nor listener behind. */
async function whicheverFirst<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | "silence" | "over"> {
  const { promise: other, resolve } = Promise.withResolvers<"silence" | "over">();
  const over = () => resolve("over");
  const timer = setTimeout(resolve, ms, "silence");
  signal.addEventListener("abort", over, { once: true });
  if (signal.aborted) over();
  try {
    return await Promise.race([promise, other]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", over);
  }
}

export interface EventStreamOptions {
  /** Ends the stream when the server closes. */
  readonly closing: AbortSignal;
  readonly heartbeatMs?: number;
  /** Called once, however the stream ended. */
  readonly onEnd?: () => void;
}

/**
 * Answers with an event stream. Frames are pulled one by one as the client takes them, so a slow client costs one frame of memory;
 * nothing runs before the first pull. The signal that `frames` gets is aborted when the client has gone.
 */
export function eventStream(
  c: Context<HttpEnv>,
  frames: (signal: AbortSignal) => AsyncIterable<Frame>,
  options: EventStreamOptions,
): Response {
  const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no" };
  if (c.req.method === "HEAD") {
    options.onEnd?.();
    return c.body(null, 200, headers);
  }
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, options.closing, c.req.raw.signal]);
  const encoder = new TextEncoder();
  let iterator: AsyncIterator<Frame> | undefined;
  let pending: Promise<IteratorResult<Frame>> | undefined;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    options.onEnd?.();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const write = (text: string) => controller.enqueue(encoder.encode(text));
        if (!iterator) {
          iterator = frames(signal)[Symbol.asyncIterator]();
          write(preamble);
          return;
        }
        try {
          pending ??= iterator.next();
          const next = await whicheverFirst(pending, options.heartbeatMs ?? heartbeatMs, signal);
          if (next === "silence") return write(heartbeat);
          if (next !== "over") {
            pending = undefined;
            if (!next.done) return write(format(next.value));
          }
        } catch (error) {
          if (!signal.aborted) write(format(lastWords(c, error)));
        }
        end();
        controller.close();
      },
      async cancel() {
        gone.abort();
        end();
        await pending?.catch(() => undefined);
        await iterator?.return?.(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  signal.addEventListener("abort", end, { once: true });
  return c.body(body, 200, headers);
}
