import { ApiError } from "./api-error.ts";
import { type Backoff, backoffMs, pause } from "./backoff.ts";
import { foreignAnswer, readError } from "./read-error.ts";
import { brokeUnderWay, unreachable } from "./unreachable.ts";

export interface TransportOptions {
  /** Where the API is, with or without a path of its own (`https://ci.example.com/ostler`). */
  readonly url: string;
  readonly token?: string | undefined;
  /** How long an answer may take to come (ms). The server answers by itself within 15 s, so less gives up on a command that goes through. */
  readonly answerTimeoutMs?: number;
  /** How often a request is sent at most. */
  readonly tries?: number;
  readonly backoff?: Backoff;
}

export interface Transport {
  /** The server's address, fit to be shown and built upon: without credentials and without a slash at its end. */
  readonly url: string;
  /**
   * As the platform's `fetch`, but everything that is not 2xx throws an ApiError. JSON, which is what is asked for unless `init` has
   * an `accept` of its own, is read to its end within the limit; other bodies are the caller's to read.
   * What breaks under way is sent again: that is safe, because every POST carries an idempotency key.
   */
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** How far (ms) the server's clock is ahead of ours, as its last answer said; 0 within what an answer's date can tell. */
  readonly clockSkewMs: () => number;
}

const defaults = { answerTimeoutMs: 30_000, tries: 4, backoff: { baseMs: 200, maxMs: 5_000 } } as const;

/** Talks HTTP to one server. */
export function createTransport(options: TransportOptions): Transport {
  const { answerTimeoutMs, tries, backoff } = { ...defaults, ...options };
  const { url, authorization } = readUrl(options.url, options.token);
  let skewMs = 0;
  let lastChange: string | undefined;

  async function attempt(target: string | URL | Request, init: RequestInit, headers: Headers): Promise<Response> {
    const limit = new AbortController();
    const late = new ApiError("no_answer", `no answer from ${url} within ${answerTimeoutMs / 1000} s`);
    const timer = setTimeout(() => limit.abort(late), answerTimeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, limit.signal]) : limit.signal;
    try {
      // A redirected POST would become a GET of something else.
      const response = await fetch(target, { ...init, headers, signal, redirect: "manual" });
      skewMs = skewOf(response.headers.get("date"), Date.now());
      lastChange = response.headers.get(changeHeader) ?? lastChange;
      if (!response.ok) throw await readError(response, url);
      return headers.get("accept") === json ? await readWhole(response, url) : response;
    } catch (error) {
      if (init.signal?.aborted) throw init.signal.reason;
      // Which may be `late`: an aborted fetch throws the reason.
      throw error instanceof ApiError ? error : unreachable(error, url);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    url,
    clockSkewMs: () => skewMs,
    fetch: async (target, init = {}) => {
      const headers = headersOf(init, authorization);
      if (lastChange !== undefined && headers.get("accept") === json) headers.set(changeHeader, lastChange);
      // A stream can be read only once.
      const most = init.body instanceof ReadableStream ? 1 : tries;
      for (let failures = 1; ; failures++) {
        try {
          return await attempt(target, init, headers);
        } catch (error) {
          if (!(error instanceof ApiError) || failures >= most || !isWorthAnotherTry(error)) throw error;
          const waitMs = Math.max(backoffMs(backoff, failures, Math.random()), error.retryAfterMs ?? 0);
          if (waitMs > backoff.maxMs) throw error;
          await pause(waitMs, init.signal ?? new AbortController().signal);
        }
      }
    },
  };
}

const json = "application/json";
/** Names the last change that we made: whichever process answers us next waits until it has seen it. */
const changeHeader = "ostler-event";

/** An answer whose body has been read and parsed. */
class WholeResponse extends Response {
  override readonly json: () => Promise<unknown>;

  constructor(text: string, value: unknown, { status, headers }: Response) {
    super(text, { status, headers });
    this.json = () => Promise.resolve(value);
  }
}

function isWorthAnotherTry(error: ApiError): boolean {
  return error.status === undefined ? brokeUnderWay(error) : error.isTransient;
}

/** The same answer with its body in memory; throws if that is not JSON. */
async function readWhole(response: Response, url: string): Promise<Response> {
  if (response.status === 204) return response;
  const type = response.headers.get("content-type") ?? "nothing";
  if (!type.startsWith(json)) {
    await response.body?.cancel();
    throw foreignAnswer(response, url, `, but with ${type} where ostler sends JSON: is that the right URL?`);
  }
  const text = await response.text();
  return new WholeResponse(text, parse(text, response, url), response);
}

function parse(text: string, response: Response, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw foreignAnswer(response, url, ", but its body is cut off or not JSON");
  }
}

/** Dates of answers count whole seconds, and the answer took its time: less than two seconds mean nothing. */
function skewOf(date: string | null, nowMs: number): number {
  const skewMs = Date.parse(date ?? "") - nowMs;
  return Math.abs(skewMs) < 2_000 || Number.isNaN(skewMs) ? 0 : skewMs;
}

/** Credentials in the URL become a header: `fetch` refuses them there, and nobody should print them. */
function readUrl(text: string, token: string | undefined): { readonly url: string; readonly authorization: string | undefined } {
  const parsed = new URL(text);
  const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  const basic = credentials === ":" ? undefined : `Basic ${base64(credentials)}`;
  const url = `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "");
  return { url, authorization: token === undefined ? basic : `Bearer ${token}` };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function headersOf(init: RequestInit, authorization: string | undefined): Headers {
  const headers = new Headers(init.headers);
  if (!headers.has("accept")) headers.set("accept", json);
  if (authorization !== undefined) headers.set("authorization", authorization);
  if (init.method === "POST" && !headers.has("idempotency-key")) headers.set("idempotency-key", crypto.randomUUID());
  return headers;
}
