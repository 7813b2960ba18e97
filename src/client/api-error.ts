/**
 * Why a request was not answered as wished. `code` is the server's own (`run_not_found`), or one of ours:
 * `unreachable` (nobody answered), `no_answer` (not in time), `bad_gateway` (somebody else answered), `stream_lost`.
 */
export class ApiError extends Error {
  readonly code: string;
  /** The HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  /** How long (ms) the server asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, about: ApiErrorDetails = {}) {
    super(message, { cause: about.cause });
    this.name = "ApiError";
    this.code = code;
    this.status = about.status;
    this.details = about.details ?? {};
    this.retryAfterMs = about.retryAfterMs;
  }

  /** True if the same request may well succeed a moment later. */
  get isTransient(): boolean {
    if (this.code === "maintenance") return false;
    return this.status === undefined || [408, 429, 502, 503, 504].includes(this.status);
  }
}

export interface ApiErrorDetails {
  readonly status?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}
