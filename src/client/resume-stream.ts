import { statusOf } from "../errors.ts";
import { ApiError } from "./api-error.ts";
import { type Backoff, backoffMs, pause } from "./backoff.ts";
import { createEventParser, type ServerSentEvent, type StreamPart } from "./server-sent-events.ts";

export interface StreamOptions {
  /** Ends the stream: it then throws the signal's reason. */
  readonly signal: AbortSignal;
  /** How long (ms) nobody may answer before the stream is given up. A restart of the server takes seconds, a move to another host minutes. */
  readonly patienceMs?: number;
  /** A connection that is silent for so long (ms) is dead. The server writes every 15 s, so less than 30 s cuts living ones. */
  readonly idleMs?: number;
  readonly backoff?: Backoff;
  /** Told of every connection that was lost or refused, before the next try. */
  readonly onLost?: (error: ApiError) => void;
  /** Told when a message has come after `onLost`. */
  readonly onFound?: () => void;
}

/** Asks for the stream from after the message of that id (empty: from its beginning); the answer's body is read until `signal` is aborted. */
export type OpenStream = (lastId: string, signal: AbortSignal) => Promise<Response>;

const defaults = { patienceMs: 300_000, idleMs: 45_000, backoff: { baseMs: 500, maxMs: 15_000 } } as const;

/**
 * The messages of an event stream up to and with `end`, across as many connections as it takes. Each connection asks for
 * what follows the last message, so none is lost; a message that a connection cut off is sent again by the next one.
 * Throws what the server says for good (404, 410), or the last fault once nobody has answered for `patienceMs`.
 */
export async function* resumeStream(open: OpenStream, options: StreamOptions): AsyncGenerator<ServerSentEvent, void> {
  const { signal, patienceMs, idleMs, backoff, onLost, onFound } = { ...defaults, ...options };
  let lastId = "";
  let failures = 0;
  let unansweredSince: number | undefined;

  for (;;) {
    let retryMs = 0;
    let isOpen = false;
    try {
      for await (const part of readConnection((connection) => open(lastId, connection), { signal, idleMs })) {
        isOpen = true;
        if (part.type === "retry") retryMs = Math.min(part.ms, backoff.maxMs);
        if (part.type === "position") lastId = part.id;
        if (part.type !== "message") continue;
        const { message } = part;
        if (message.event === "error") {
          isOpen = false;
          throw lastWords(message);
        }
        if (failures > 0) onFound?.();
        failures = 0;
        lastId = message.id || lastId;
        yield { ...message, id: lastId };
        if (message.event === "end") return;
      }
      throw new ApiError("stream_lost", "the connection was closed before the stream's end");
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTransient) throw error;
      const now = performance.now();
      unansweredSince = isOpen ? now : (unansweredSince ?? now);
      if (now - unansweredSince > patienceMs) throw error;
      failures += 1;
      onLost?.(error);
      await pause(Math.max(backoffMs(backoff, failures, Math.random()), error.retryAfterMs ?? retryMs), signal);
    }
  }
}

const statuses: ReadonlyMap<string, number> = new Map(Object.entries(statusOf));

/** A stream that fails after its 200 says why in a last message. */
function lastWords(message: ServerSentEvent): ApiError {
  const body: { readonly message?: string; readonly code?: string } = JSON.parse(message.data);
  const { code = "internal", message: words = "the stream failed" } = body;
  return new ApiError(code, words, { status: statuses.get(code) });
}

interface Connection {
  readonly signal: AbortSignal;
  readonly idleMs: number;
}

type Sign = StreamPart | { readonly type: "alive" };

/** One connection, until it ends. `alive` is its first sign, which may be a mere comment. */
async function* readConnection(
  open: (signal: AbortSignal) => Promise<Response>,
  { signal, idleMs }: Connection,
): AsyncGenerator<Sign, void> {
  const hangUp = new AbortController();
  const silent = new ApiError("stream_lost", `nothing came for ${idleMs / 1000} s`);
  const parse = createEventParser();
  const decoder = new TextDecoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const response = await open(AbortSignal.any([signal, hangUp.signal]));
    const reader = response.body?.getReader();
    yield { type: "alive" };
    while (reader) {
      // Only the server's silence counts, not the time that our reader takes.
      timer = setTimeout(() => hangUp.abort(silent), idleMs);
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      yield* parse(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw hangUp.signal.aborted ? silent : new ApiError("stream_lost", "the connection was lost", { cause: error });
  } finally {
    clearTimeout(timer);
    hangUp.abort();
  }
}
