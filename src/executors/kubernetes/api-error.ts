import { z } from "zod";

const Status = z.object({ reason: z.string().optional(), message: z.string().optional() });

/** The API server's refusal: `reason` is its own word (`AlreadyExists`, `NotFound`), "" if it gave none. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  /** How long the server asks to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: string, retryAfter?: string) {
    const { reason, message } = parseStatus(body);
    super(message ?? (body.trim().slice(0, 500) || `the API server answered ${status}`));
    this.name = "ApiError";
    this.status = status;
    this.reason = reason ?? "";
    this.retryAfterMs = retryAfter !== undefined && /^\d{1,4}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
  }
}

/** Error bodies are JSON text, or plain text where no API is. */
function parseStatus(body: string): z.infer<typeof Status> {
  try {
    return Status.parse(JSON.parse(body));
  } catch {
    return {};
  }
}

/** Whether the same call may well succeed later: the server is away, overloaded, or told to come back. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return error.status === 429 || error.status >= 500;
}

export function isStatus(error: unknown, ...statuses: readonly number[]): error is ApiError {
  return error instanceof ApiError && statuses.includes(error.status);
}
