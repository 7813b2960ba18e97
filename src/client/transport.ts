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

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`, each segment encoded. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; called once per try, because a stream can be read only once. */
  readonly body?: () => ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Undefined fields are left out, lists are repeated. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Transport {
  /** The server's address, fit to be shown: without credentials. */
  readonly url: string;
  /**
   * Sends a request and gives back its 2xx answer, with the body still to be read. Everything else throws an ApiError.
   * What breaks under way is sent again: that is safe, because every POST carries an idempotency key.
   */
  readonly send: (request: ApiRequest) => Promise<Response>;
  /** As `send`, and reads the body, which must be JSON. */
  readonly json: (request: ApiRequest) => Promise<unknown>;
}

const defaults = { answerTimeoutMs: 30_000, tries: 4, backoff: { baseMs: 200, maxMs: 5_000 } } as const;

/** Talks HTTP to one server. */
export function createTransport(options: TransportOptions): Transport {
  const { answerTimeoutMs, tries, backoff } = { ...defaults, ...options };
  const { url, authorization } = readUrl(options.url, options.token);

  /** One try. The limit covers the time until the headers are there and, if `read` is given, until the body is read. */
  async function attempt<T>(request: ApiRequest, headers: Headers, read: (response: Response) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const late = new ApiError("no_answer", `no answer from ${url} within ${answerTimeoutMs / 1000} s`);
    const timer = setTimeout(() => limit.abort(late), answerTimeoutMs);
    const signal = request.signal ? AbortSignal.any([request.signal, limit.signal]) : limit.signal;
    try {
      const response = await fetch(`${url}/api/v1${request.path}${queryText(request.query)}`, {
        method: request.method,
        headers,
        signal,
        // A redirected POST would become a GET of something else.
        redirect: "manual",
        ...bodyOf(request),
      });
      if (!response.ok) throw await readError(response, url);
      return await read(response);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      if (limit.signal.aborted) throw late;
      throw error instanceof ApiError ? error : unreachable(error, url);
    } finally {
      clearTimeout(timer);
    }
  }

  async function exchange<T>(request: ApiRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const headers = headersOf(request, authorization);
    for (let failures = 1; ; failures++) {
      try {
        return await attempt(request, headers, read);
      } catch (error) {
        if (!(error instanceof ApiError) || failures >= tries || !isWorthAnotherTry(error)) throw error;
        const waitMs = Math.max(backoffMs(backoff, failures, Math.random()), error.retryAfterMs ?? 0);
        if (waitMs > backoff.maxMs) throw error;
        await pause(waitMs, request.signal ?? new AbortController().signal);
      }
    }
  }

  return {
    url,
    send: (request) => exchange(request, async (response) => response),
    json: (request) => exchange(request, (response) => readJson(response, url)),
  };
}

function isWorthAnotherTry(error: ApiError): boolean {
  if (error.status === undefined) return brokeUnderWay(error);
  return error.isTransient;
}

async function readJson(response: Response, url: string): Promise<unknown> {
  const type = response.headers.get("content-type") ?? "nothing";
  if (!type.startsWith("application/json")) {
    await response.body?.cancel();
    throw foreignAnswer(response, url, `, but with ${type} where ostler sends JSON: is that the right URL?`);
  }
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw foreignAnswer(response, url, ", but its body is cut off or not JSON");
  }
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

function headersOf({ method, json, headers: given }: ApiRequest, authorization: string | undefined): Headers {
  const headers = new Headers({ accept: "application/json", ...given });
  if (authorization !== undefined) headers.set("authorization", authorization);
  if (json !== undefined) headers.set("content-type", "application/json");
  if (method === "POST" && !headers.has("idempotency-key")) headers.set("idempotency-key", crypto.randomUUID());
  return headers;
}

function bodyOf({ json, body }: ApiRequest): { readonly body?: string | ReadableStream<Uint8Array>; readonly duplex?: "half" } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  return body ? { body: body(), duplex: "half" } : {};
}

function queryText(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) parameters.append(name, String(one));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}

/** A path of encoded segments: `/runs/<id>/tasks/unit%20tests`. */
export function apiPath(strings: TemplateStringsArray, ...segments: readonly (string | number)[]): string {
  return strings.map((text, i) => text + (i < segments.length ? encodeURIComponent(String(segments[i])) : "")).join("");
}
