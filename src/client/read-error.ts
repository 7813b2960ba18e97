import { ApiError } from "./api-error.ts";

interface ErrorBody {
  readonly message: string;
  readonly code: string;
  readonly details?: Record<string, unknown>;
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== "object" || body === null || !("message" in body) || !("code" in body)) return false;
  return typeof body.message === "string" && typeof body.code === "string";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in ms; only its form in seconds, the one our servers send. */
function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

const statusTexts: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  413: "Payload Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** `502 Bad Gateway`, also where HTTP/2 or a proxy left out the words. */
export function statusLine(response: Response): string {
  return `${response.status} ${response.statusText || statusTexts[response.status] || ""}`.trim();
}

/** An answer that is not ours: a proxy's page, or another program at the same place. */
export function foreignAnswer(response: Response, url: string, why: string): ApiError {
  return new ApiError("bad_gateway", `${statusLine(response)} from ${url}${why}`, {
    status: response.status,
    retryAfterMs: retryAfterMs(response.headers),
  });
}

/** The error that an answer other than 2xx stands for; reads the body. `url` is the server's, without the path. */
export async function readError(response: Response, url: string): Promise<ApiError> {
  const location = response.headers.get("location");
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel();
    return foreignAnswer(response, url, location ? `, which sends us on to ${location}: is that the URL to use?` : "");
  }
  const body = parseJson(await response.text());
  if (!isErrorBody(body)) return foreignAnswer(response, url, "");
  return new ApiError(body.code, body.message, {
    status: response.status,
    details: body.details ?? {},
    retryAfterMs: retryAfterMs(response.headers),
  });
}
